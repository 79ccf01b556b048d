// Addresses as people write them, and messages over a real loopback connection.
#include "base/socket.h"

#include <gtest/gtest.h>

namespace mutatenn {
namespace {

TEST(Socket, ReadsAddresses) {
  EXPECT_EQ(ParseAddress("tcp://board:9090")->Text(), "tcp://board:9090");
  EXPECT_EQ(ParseAddress("10.0.0.7:1")->host, "10.0.0.7");
  EXPECT_EQ(ParseAddress("tcp://[::1]:9090")->host, "::1");
  EXPECT_EQ(ParseAddress("tcp://[::1]:9090")->Text(), "tcp://[::1]:9090");
  for (const char* bad : {"board", "tcp://board", "tcp://:9", "udp://a:1", "a:70000", "a:b",
                          "::1:9", "[::1]", "a:", ""}) {
    auto address = ParseAddress(bad);
    ASSERT_FALSE(address.ok()) << bad;
    EXPECT_NE(address.error().message.find("tcp://HOST:PORT"), std::string::npos);
  }
}

TEST(Socket, KnowsLoopback) {
  for (const char* own : {"127.0.0.1", "127.1.2.3", "::1", "localhost"})
    EXPECT_TRUE(IsLoopback(own));
  for (const char* open : {"0.0.0.0", "::", "192.168.0.1", "board"}) EXPECT_FALSE(IsLoopback(open));
}

struct Pair {
  Socket client, server;
  Pair() {
    Socket listener = std::move(ListenTcp({"127.0.0.1", 0})).value();
    client = std::move(ConnectTcp({"127.0.0.1", PortOf(listener).value()}, 5)).value();
    server = std::move(Accept(listener)).value();
  }
};

TEST(Socket, CarriesMessagesAndBytes) {
  Pair pair;
  ASSERT_TRUE(pair.client.SendMessage({{"text", "ä"}, {"n", 7}}, 5).ok());
  ASSERT_TRUE(pair.client.Send(std::string("\0\1raw", 5), 5).ok());
  EXPECT_EQ(pair.server.ReceiveMessage(5).value(), (Json{{"text", "ä"}, {"n", 7}}));
  std::string raw(5, '\0');
  ASSERT_TRUE(pair.server.Receive(raw.data(), raw.size(), 5).ok());
  EXPECT_EQ(raw, std::string("\0\1raw", 5));
}

TEST(Socket, SaysHowAnEndFailed) {
  Pair pair;
  EXPECT_EQ(pair.server.ReceiveMessage(0.01).error().code, Code::kTimeout);
  ASSERT_TRUE(pair.client.SendMessage(std::string(100, 'x'), 5).ok());
  EXPECT_EQ(pair.server.ReceiveMessage(5, 50).error().code, Code::kInvalidInput);
  Pair other;
  other.client = Socket();
  EXPECT_EQ(other.server.ReceiveMessage(5).error().code, Code::kUnavailable);
  Status status = Ok();
  for (int i = 0; i < 100 && status.ok(); ++i)
    status = other.server.Send(std::string(1000, 'x'), 5);
  EXPECT_EQ(status.error().code, Code::kUnavailable);
  EXPECT_EQ(ConnectTcp({"127.0.0.1", 1}, 5).error().code, Code::kUnavailable);
}

}  // namespace
}  // namespace mutatenn
