// A campaign's figures as JSON and as a table.
#include "campaign/stats.h"

#include <iterator>

#include <fmt/format.h>

namespace mutatenn {
namespace {

double Share(double part, double whole) { return whole > 0 ? part / whole : 0; }

// "  compile              12.345 s   41.2 %"
void Line(std::string* table, const char* name, double seconds, double whole) {
  fmt::format_to(std::back_inserter(*table), "  {:<34}{:>12.3f} s{:>8.1f} %\n", name, seconds,
                 100 * Share(seconds, whole));
}

}  // namespace

double CampaignStats::IsolationShare() const {
  return Share(worker.fork_s + worker.exit_s + worker.rpc_s + worker.guard_copy_s, wall_s * jobs);
}

Json ToJson(const CampaignStats& stats) {
  return {{"wall_s", stats.wall_s},
          {"stages",
           {{"images_s", stats.images_s},
            {"original_s", stats.original_s},
            {"build_s", stats.build_s},
            {"run_s", stats.run_s}}},
          {"work",
           {{"import_s", stats.import_s},
            {"compile_s", stats.compile_s},
            {"link_s", stats.link_s},
            {"reference_s", stats.worker.reference_s},
            {"mutants_s", stats.worker.children_s},
            {"store_s", stats.store_s}}},
          {"worker", ToJson(stats.worker)},
          {"jobs", stats.jobs},
          {"kernels_compiled", stats.kernels_compiled},
          {"kernels_cached", stats.kernels_cached},
          {"mutants_built", stats.mutants_built},
          {"mutants_cached", stats.mutants_cached},
          {"equivalent", stats.equivalent},
          {"stillborn", stats.stillborn},
          {"judged", stats.judged},
          {"shared", stats.shared},
          {"fates", stats.fates},
          {"infected", stats.infected},
          {"steps", stats.worker.steps},
          {"steps_skipped", stats.worker.steps - stats.worker.steps_run},
          {"isolation_share", stats.IsolationShare()},
          {"store_share", stats.StoreShare()}};
}

std::string StatsTable(const CampaignStats& stats) {
  const WorkerStats& worker = stats.worker;
  const double work_s = stats.wall_s * stats.jobs;
  std::string table;
  auto out = std::back_inserter(table);
  fmt::format_to(out, "Wall time {:.3f} s, of it\n", stats.wall_s);
  Line(&table, "preprocessing images", stats.images_s, stats.wall_s);
  Line(&table, "import, originals compiled", stats.original_s, stats.wall_s);
  Line(&table, "mutants built", stats.build_s, stats.wall_s);
  Line(&table, "originals and mutants run", stats.run_s, stats.wall_s);
  fmt::format_to(out, "Work in all processes, of wall time x {} jobs\n", stats.jobs);
  Line(&table, "import", stats.import_s, work_s);
  Line(&table, "compile", stats.compile_s, work_s);
  Line(&table, "link", stats.link_s, work_s);
  Line(&table, "reference", worker.reference_s, work_s);
  Line(&table, "mutants", worker.children_s, work_s);
  Line(&table, "  their kernels", worker.kernels_s, work_s);
  Line(&table, "  values made again", worker.remake_s, work_s);
  Line(&table, "  comparison with the original", worker.compare_s, work_s);
  Line(&table, "  loading", worker.load_s, work_s);
  Line(&table, "  guarded runs", worker.guard_run_s, work_s);
  Line(&table, "  guard copies", worker.guard_copy_s, work_s);
  Line(&table, "  fork", worker.fork_s, work_s);
  Line(&table, "  exit", worker.exit_s, work_s);
  Line(&table, "RPC", worker.rpc_s, work_s);
  Line(&table, "store", stats.store_s, work_s);
  fmt::format_to(out, "Isolation (fork, exit, RPC, guard copies) {:.2f} %, store {:.2f} %\n",
                 100 * stats.IsolationShare(), 100 * stats.StoreShare());
  fmt::format_to(out, "Cache hits: {} of {} kernels of the originals, {} of {} mutants\n",
                 stats.kernels_cached, stats.kernels_cached + stats.kernels_compiled,
                 stats.mutants_cached, stats.mutants_built);
  fmt::format_to(out, "Pruned before any run: {} equivalent, {} stillborn\n", stats.equivalent,
                 stats.stillborn);
  fmt::format_to(
      out,
      "Judged {}, of them {} equal to another one; infected {} of {} runs on an image ({:.1f} %)\n",
      stats.judged, stats.shared, stats.infected, stats.fates,
      100 * Share(stats.infected, stats.fates));
  fmt::format_to(out, "Steps skipped: {:.0f} of {:.0f} ({:.1f} %)\n",
                 worker.steps - worker.steps_run, worker.steps,
                 100 * Share(worker.steps - worker.steps_run, worker.steps));
  if (worker.device_s > 0) table += AcceleratorLine(worker) + "\n";
  fmt::format_to(out,
                 "Resident at most: worker {:.0f} MB (references {:.0f} MB), a mutant {:.0f} MB\n",
                 worker.worker_peak_bytes / 1e6, worker.reference_bytes / 1e6,
                 worker.mutants_peak_bytes / 1e6);
  return table;
}

}  // namespace mutatenn
