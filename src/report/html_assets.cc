// The style and the script of the HTML report. The script only shows and hides: what it filters is
// there without it.
#include "report/html_parts.h"

namespace mutatenn::html {

const char* const kStyle = R"css(
:root{color-scheme:light dark;--bg:#fff;--fg:#1b1b1f;--soft:#5a5a66;--line:#d5d5dd;--head:#f2f2f6;
--killed:#0b6e4f;--survived:#b3261e;--loud:#8a5a00;--none:#5a5a66;--link:#0b57d0;
--add:#dff5e3;--del:#fde4e1;--heat:11,110,79}
@media(prefers-color-scheme:dark){:root{--bg:#16161a;--fg:#e8e8ee;--soft:#a8a8b4;--line:#3a3a44;
--head:#22222a;--killed:#62d2a2;--survived:#ff9d94;--loud:#f2c14e;--none:#a8a8b4;--link:#9ec2ff;
--add:#143d25;--del:#4a1d1a;--heat:98,210,162}}
*{box-sizing:border-box}
body{margin:0;font:15px/1.5 system-ui,sans-serif;background:var(--bg);color:var(--fg)}
header,main,footer{padding:0 1.2rem;max-width:90rem;margin:auto}
nav{position:sticky;top:0;background:var(--bg);border-bottom:1px solid var(--line);padding:.5rem 0;z-index:2}
nav a{margin-right:1rem}
a{color:var(--link)}
a:focus-visible,button:focus-visible,input:focus-visible,select:focus-visible,.scroll:focus-visible,summary:focus-visible{outline:3px solid var(--link);outline-offset:2px}
h1{font-size:1.6rem}h2{margin-top:2.2rem;border-bottom:1px solid var(--line)}
.scroll{overflow:auto;max-height:80vh;border:1px solid var(--line);margin:.6rem 0}
table{border-collapse:collapse;font-variant-numeric:tabular-nums}
caption{text-align:left;white-space:nowrap;color:var(--soft);padding:.3rem .5rem}
th,td{white-space:nowrap;padding:.2rem .6rem;border-bottom:1px solid var(--line);text-align:left;vertical-align:top}
thead th{position:sticky;top:0;background:var(--head)}
td.n{text-align:right}
.mutants td:nth-child(3),td.p{white-space:normal;overflow-wrap:anywhere;min-width:20em}
/* verdicts by their first two letters */
.ki,.ti{color:var(--killed);font-weight:600}.su{color:var(--survived);font-weight:600}
.cr{color:var(--loud);font-weight:600}.eq,.st,.pe,.ig,.un,.ma{color:var(--none)}
.soft{color:var(--soft)}
pre,code{font:13px/1.4 ui-monospace,monospace}
pre{overflow:auto;border:1px solid var(--line);padding:.5rem;margin:.3rem 0}
pre .a,pre .d{display:block;width:max-content;min-width:100%}pre .a{background:var(--add)}pre .d{background:var(--del)}
pre .m{border-left:4px solid var(--none);display:block;padding-left:.3rem}
pre .m.killed{border-color:var(--killed)}pre .m.survived{border-color:var(--survived)}
form{display:flex;flex-wrap:wrap;gap:.6rem;align-items:end;margin:.6rem 0}
label{display:grid;font-size:.85rem;color:var(--soft)}
input,select,button{font:inherit;padding:.25rem .4rem;background:var(--bg);color:var(--fg);border:1px solid var(--soft);border-radius:4px}
.detail{border:2px solid var(--link);padding:0 1rem 1rem;margin:1rem 0}
.runs{display:grid;grid-template-columns:max-content 1fr;gap:.2rem .6rem}
img{width:48px;height:48px;object-fit:cover;vertical-align:middle}
mark{background:none;color:inherit;font-weight:700;text-decoration:underline}
.cells span{position:relative;display:inline-block;width:1.1em;text-align:center;font:12px/1.3 ui-monospace,monospace;border:1px solid var(--line)}
.cells .t{width:auto;border-width:3px;margin:1px}.cells .t i{position:absolute;right:0;bottom:0;padding:0 .2em;font-style:normal;background:var(--bg);color:var(--fg)}
.cells .t.k{border-color:var(--killed)}.cells .t.l{border-color:var(--loud)}
.cells .k{background:var(--killed);color:var(--bg)}.cells .l{background:var(--loud);color:var(--bg)}
svg text{fill:var(--fg);font:12px system-ui,sans-serif}svg .axis{stroke:var(--line)}
svg .line{fill:none;stroke:var(--survived);stroke-width:2}svg .floor{fill:none;stroke:var(--link);stroke-width:1.5;stroke-dasharray:4 3}figure{margin:1rem 0}
svg .box{fill:none;stroke:var(--link);stroke-width:1.5}
[hidden]{display:none!important}
@media print{nav,form,.more{display:none}.scroll{max-height:none;overflow:visible;border:0}body{font-size:11px}}
)css";

const char* const kScript = R"js(
'use strict';
(function () {
  var models = document.querySelectorAll('section.mutants');
  function el(name, text, kind) {
    var e = document.createElement(name);
    if (text !== undefined) e.textContent = text;
    if (kind) e.className = kind;
    return e;
  }
  function filter(section) {
    var form = section.querySelector('form'), shown = 0;
    var words = form.elements.search.value.toLowerCase().split(/\s+/).filter(Boolean);
    var op = form.elements.op.value, verdict = form.elements.verdict.value, device = +form.elements.device.value;
    var limit = +form.dataset.limit;
    section.rows.forEach(function (row) {
      var cells = row.cells, text = row.textContent.toLowerCase(), ok = !op || cells[1].textContent === op;
      if (ok && verdict) {
        ok = false;
        for (var i = 3; i < cells.length; ++i)
          if ((device < 0 || i === 3 + device) && cells[i].textContent === verdict) ok = true;
      }
      for (var w = 0; ok && w < words.length; ++w) ok = text.indexOf(words[w]) >= 0;
      if (ok) ++shown;
      row.hidden = !ok || shown > limit;
      if (!row.hidden && !cells[0].firstElementChild) {
        var link = el('a', cells[0].textContent);
        link.href = '#m-' + link.textContent;
        cells[0].replaceChildren(link);
      }
    });
    section.querySelector('output').textContent = shown + ' mutants' + (shown > limit ? ', first ' + limit + ' shown' : '');
    section.querySelector('.more').hidden = shown <= limit;
  }
  function unpack(code, count) {
    var bytes = atob(code), runs = [];
    for (var i = 0; i < count; ++i) runs.push(bytes.charCodeAt(i >> 2) >> (2 * (i & 3)) & 3);
    return runs;
  }
  function diff(data, edits) {
    var pre = el('pre');
    if (!edits) {
      pre.textContent = 'Not in this page; `mutatenn show DIR ID` prints it.';
      return pre;
    }
    var file = -1;
    edits.forEach(function (edit) {
      var source = data.sources[edit[0]];
      if (edit[0] !== file) pre.append(el('span', source.name + '\n', 'soft'));
      file = edit[0];
      pre.append(el('span', '@@ line ' + edit[1] + ' @@\n', 'soft'));
      var line = function (n, kind, mark) {
        var text = source.lines[n];
        if (text !== undefined) pre.append(el('span', mark + text + '\n', kind));
      };
      for (var n = edit[1] - 3; n < edit[1]; ++n) line(n, '', ' ');
      // What changed within a line is marked in both.
      var marked = function (kind, sign, text, front, end) {
        var span = el('span', sign + text.slice(0, front), kind);
        span.append(el('mark', text.slice(front, text.length - end)), text.slice(text.length - end) + '\n');
        pre.append(span);
      };
      for (n = edit[1]; n < edit[1] + edit[2]; ++n) {
        var by = edit[3][n - edit[1]], was = source.lines[n];
        if (by !== undefined && typeof by !== 'string' && was !== undefined) marked('d', '-', was, by[0], by[1]);
        else line(n, 'd', '-');
      }
      edit[3].forEach(function (text, i) {
        if (typeof text === 'string') return pre.append(el('span', '+' + text + '\n', 'a'));
        var old = source.lines[edit[1] + i];
        marked('a', '+', old.slice(0, text[0]) + text[2] + old.slice(old.length - text[1]), text[0], text[1]);
      });
      for (n = edit[1] + edit[2]; n < edit[1] + edit[2] + 3; ++n) line(n, '', ' ');
    });
    return pre;
  }
  function models_of(section) { return Array.prototype.indexOf.call(models, section); }
  function show(section, row) {
    var data = section.data || (section.data = JSON.parse(section.querySelector('script').textContent));
    var mutant = data.mutants[section.rows.indexOf(row)], box = section.querySelector('.detail');
    box.replaceChildren(el('h3', row.cells[0].textContent));
    box.append(el('p', row.cells[1].textContent + ' at ' + row.cells[2].textContent));
    box.append(diff(data, mutant.e));
    var runs = el('div', undefined, 'runs'), before = '', reason = '';
    data.devices.forEach(function (device, d) {
      runs.append(el('strong', device + ': ' + row.cells[3 + d].textContent));
      var right = el('div'), code = mutant.f[d] === '=' ? before : mutant.f[d];
      before = code;
      if (mutant.r) {
        reason = mutant.r[d] === '=' ? reason : mutant.r[d];
        right.append(el('div', reason));
      }
      if (code) {
        var cells = el('div', undefined, 'cells');
        unpack(code, data.images.length).forEach(function (run, i) {
          var sign = ['·', '=', 'k', '!'][run], kind = ['', '', 'k', 'l'][run];
          var picture = document.getElementById('i-' + models_of(section) + '-' + i);
          var cell = el('span', picture ? undefined : sign, kind);
          if (picture) {
            var copy = el('img');
            copy.src = picture.src;
            copy.alt = '';
            cell.className = ('t ' + kind).trim();
            cell.append(copy, el('i', sign));
          }
          cell.title = data.images[i] + ': ' + ['not run', 'not killed', 'killed', 'crash or timeout'][run];
          cells.append(cell);
        });
        right.append(cells);
      } else right.append(el('div', 'not run', 'soft'));
      runs.append(right);
    });
    box.append(runs);
    document.querySelectorAll('#growth-' + models_of(section) + ' figure').forEach(function (figure) {
      if (figure.dataset.mutant === row.cells[0].textContent) box.append(figure.cloneNode(true));
    });
    box.append(el('p', 'Images in their fixed order. · not run, = not killed, k killed, ! crash or timeout.', 'soft'));
    box.hidden = false;
    var change = box.querySelector('mark');
    if (change) change.closest('pre').scrollLeft = Math.max(0, change.offsetLeft - box.offsetLeft - 400);
    box.focus();
    box.scrollIntoView();
  }
  models.forEach(function (section) {
    var form = section.querySelector('form');
    section.rows = Array.from(section.querySelectorAll('tbody tr'));
    section.querySelector('.controls').hidden = false;
    form.dataset.limit = 200;
    form.addEventListener('input', function () { form.dataset.limit = 200; filter(section); });
    form.addEventListener('submit', function (event) { event.preventDefault(); });
    section.querySelector('.more').addEventListener('click', function () {
      form.dataset.limit = 1000000; filter(section);
    });
    filter(section);
  });
  function follow() {
    var id = decodeURIComponent(location.hash.slice(1));
    if (id.slice(0, 2) !== 'm-') return;
    models.forEach(function (section) {
      var row = section.rows.find(function (r) { return r.cells[0].textContent === id.slice(2); });
      if (row) show(section, row);
    });
  }
  addEventListener('hashchange', follow);
  follow();
})();
)js";

}  // namespace mutatenn::html
