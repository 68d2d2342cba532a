#include "net/http_client.hpp"
#include "net/http_server.hpp"
#include "net/json.hpp"
#include "net/local_socket.hpp"
#include "net/url.hpp"
#include "net/ws_client.hpp"

#include "base/json_writer.hpp"
#include "base/testing.hpp"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>

namespace nw::net {
namespace {

Task<void> echo_messages(std::unique_ptr<MessageChannel> channel)
{
    for (;;) {
        auto message = co_await channel->receive();
        if (!message) co_return;
        if (*message == "bye") {
            channel->close("you said so");
            continue;
        }
        auto sent = co_await channel->send(*std::move(message));
        if (!sent) co_return;
    }
}

Task<std::string> echo(std::string question) { co_return "echo of " + question; }

Task<Response> demo(Request request)
{
    if (request.path == "/ws" && request.wants_websocket)
        co_return Response{.websocket = echo_messages, .message_bytes_max = 1000};
    if (request.path == "/large") co_return Response{.websocket = echo_messages, .message_bytes_max = 1 << 20};
    if (request.path == "/forbidden") co_return problem(403, "no", request.id);
    if (request.path == "/stream") {
        auto left = std::make_shared<int>(3);
        co_return Response{.content_type = "text/plain", .source = [left]() -> Task<Result<std::string>> {
                               co_return *left > 0 ? "part" + std::to_string((*left)--) + ";" : "";
                           }};
    }
    JsonWriter json;
    json.object()
        .field("path", request.path)
        .field("q", request.query["q"])
        .field("body", request.body)
        .field("remote", request.remote)
        .field("secure", request.secure)
        .end_object();
    co_return Response{.content_type = "application/json", .body = std::move(json).str()};
}

// A server on a free port of the loopback, and a client beside it.
struct Fixture {
    Loop loop;
    SystemClock clock;
    Pool pool{1};
    TaskGroup writers{loop.get_executor(), {}};
    HttpServer server;
    std::string base;

    explicit Fixture(HttpServerOptions options = {}, const TlsServer* tls = nullptr)
        : server(loop, clock, {}, std::move(options), demo)
    {
        const auto port = server.listen("127.0.0.1", 0, tls);
        REQUIRE(port);
        base = std::string(tls ? "https" : "http") + "://127.0.0.1:" + std::to_string(*port);
    }
    ~Fixture()
    {
        testing::run(loop, server.close());
        testing::run(loop, writers.close());
    }
    Result<ClientResponse> get(std::string path, SslContext tls = {}, std::string body = "")
    {
        return testing::run(loop, fetch(pool, {.method = body.empty() ? Method::Get : Method::Post,
                                               .url = base + path,
                                               .tls = std::move(tls),
                                               .body = std::move(body)}));
    }
    // Sends raw bytes and returns everything that comes back before the server closes.
    std::string raw(std::string_view bytes)
    {
        const int fd = ::socket(AF_INET, SOCK_STREAM, 0);
        sockaddr_in to{};
        to.sin_family = AF_INET;
        to.sin_port = htons(std::uint16_t(std::stoi(base.substr(base.rfind(':') + 1))));
        to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        REQUIRE(::connect(fd, reinterpret_cast<sockaddr*>(&to), sizeof to) == 0);
        REQUIRE(::send(fd, bytes.data(), bytes.size(), 0) == ssize_t(bytes.size()));
        std::string answer;
        char piece[4096];
        for (;;) {
            const auto got = ::recv(fd, piece, sizeof piece, MSG_DONTWAIT);
            if (got == 0) break;
            if (got > 0) answer.append(piece, std::size_t(got));
            else loop.run_one_for(std::chrono::milliseconds(50));
        }
        ::close(fd);
        return answer;
    }
};

}  // namespace

TEST_CASE("a request arrives decoded and its answer returns")
{
    Fixture fixture;
    const auto answer = fixture.get("/a%20b?q=x+y%26z", {}, "hello");
    REQUIRE(answer);
    CHECK(answer->status == 200);
    const auto json = *parse_json(answer->body);
    CHECK(*json.at("path").text() == "/a b");
    CHECK(*json.at("q").text() == "x y&z");
    CHECK(*json.at("body").text() == "hello");
    CHECK(*json.at("remote").text() == "127.0.0.1");
}

TEST_CASE("a refusal is problem+json with its request id")
{
    Fixture fixture;
    const auto answer = fixture.get("/forbidden");
    CHECK(answer->status == 403);
    CHECK(answer->headers.at("content-type") == "application/problem+json");
    CHECK(!parse_json(answer->body)->at("request_id").text()->empty());
}

TEST_CASE("a long body is streamed in pieces")
{
    Fixture fixture;
    CHECK(fixture.get("/stream")->body == "part3;part2;part1;");
}

TEST_CASE("what exceeds a limit or is no HTTP is answered and closed")
{
    Fixture fixture({.header_bytes_max = 512, .body_bytes_max = 100});
    CHECK(fixture.raw("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 101\r\n\r\n").starts_with("HTTP/1.1 413"));
    CHECK(fixture.raw("GET / HTTP/1.1\r\nX: " + std::string(600, 'x') + "\r\n\r\n").starts_with("HTTP/1.1 431"));
    CHECK(fixture.raw("\x16\x03\x01 nonsense\r\n\r\n").starts_with("HTTP/1.1 400"));
    CHECK(fixture.raw("GET /%zz HTTP/1.1\r\nHost: a\r\n\r\n").starts_with("HTTP/1.1 400"));
}

TEST_CASE("a client that never finishes its request is dropped")
{
    Fixture fixture({.idle = std::chrono::seconds(1)});
    CHECK(fixture.raw("GET / HT").empty());
    CHECK(fixture.server.stats().timeouts == 1);
}

TEST_CASE("only a trusted proxy may speak for others")
{
    const std::string request = "GET / HTTP/1.1\r\nConnection: close\r\nX-Forwarded-For: 1.2.3.4, 192.0.2.7\r\n"
                                "X-Forwarded-Proto: https\r\n\r\n";
    Fixture plain;
    CHECK(plain.raw(request).find(R"("remote":"127.0.0.1","secure":false)") != std::string::npos);
    Fixture proxied({.trusted_proxies = {"127.0.0.1"}});
    CHECK(proxied.raw(request).find(R"("remote":"192.0.2.7","secure":true)") != std::string::npos);
}

TEST_CASE("a local socket answers one line, and says when nobody is there")
{
    Loop loop;
    const testing::ScratchDir dir;
    const auto file = dir / "it.sock";
    LocalServer server(loop, file, [](std::string question) { return echo(std::move(question)); }, {});
    REQUIRE(server.start());
    Pool pool(1);
    const auto ask = [&](std::string question) {
        return run_on(pool, [&, question] { return ask_local(file, question, Seconds(5)); });
    };
    CHECK(testing::run(loop, ask("how are you")) == "echo of how are you\n");
    CHECK(testing::run(loop, ask("")) == "echo of \n");
    testing::run(loop, server.close());
    CHECK(testing::run(loop, ask("anybody")).error().code == Errc::NotFound);
}

TEST_CASE("messages go both ways over a WebSocket until one side says goodbye")
{
    Fixture fixture;
    auto& loop = fixture.loop;
    auto channel = testing::run(loop, connect_websocket(fixture.pool, fixture.writers, {.url = fixture.base + "/ws"}));
    REQUIRE(channel);
    for (const auto* text : {"one", "two"}) {
        REQUIRE(testing::run(loop, (*channel)->send(text)));
        CHECK(*testing::run(loop, (*channel)->receive()) == text);
    }
    REQUIRE(testing::run(loop, (*channel)->send("bye")));
    CHECK(testing::run(loop, (*channel)->receive()).error().code == Errc::Unavailable);
}

TEST_CASE("messages of every size arrive whole and in order, many in one go")
{
    Fixture fixture;
    auto channel =
        testing::run(fixture.loop, connect_websocket(fixture.pool, fixture.writers, {.url = fixture.base + "/large"}));
    REQUIRE(channel);
    std::vector<std::string> sent;
    for (const std::size_t size :
         {0U, 1U, 125U, 126U, 127U, 128U, 129U, 1'500U, 1'536U, 4'096U, 5'000U, 65'535U, 65'536U, 500'000U}) {
        std::string message(size, ' ');
        for (std::size_t i = 0; i < size; ++i) message[i] = char('a' + (i * 31 + size) % 26);  // a text frame must be UTF-8
        sent.push_back(std::move(message));
    }
    for (const auto& message : sent) REQUIRE((*channel)->post(message));
    for (const auto& message : sent) {
        const auto received = testing::run(fixture.loop, (*channel)->receive());
        CAPTURE(message.size());
        REQUIRE_MESSAGE(received, received.error().what);
        CHECK(bool(*received == message));
    }
}

TEST_CASE("a message above the limit ends the connection, a refused upgrade says so")
{
    Fixture fixture;
    auto channel =
        testing::run(fixture.loop, connect_websocket(fixture.pool, fixture.writers, {.url = fixture.base + "/ws"}));
    REQUIRE(channel);
    REQUIRE((*channel)->post(std::string(1001, 'x')));
    CHECK(!testing::run(fixture.loop, (*channel)->receive()));
    const auto refused =
        testing::run(fixture.loop, connect_websocket(fixture.pool, fixture.writers, {.url = fixture.base + "/forbidden"}));
    CHECK(refused.error().code == Errc::Denied);
}

TEST_CASE("TLS verifies the server, and a renewed certificate serves the next connection")
{
    const testing::ScratchDir dir;
    const auto make = [&](const std::string& name) {
        const auto command = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN="
                             + name + " -addext subjectAltName=IP:127.0.0.1 -keyout " + (dir / "key.pem").string() + " -out "
                             + (dir / "cert.pem").string() + " 2>/dev/null";
        REQUIRE(std::system(command.c_str()) == 0);
    };
    make("first");
    auto tls = TlsServer::load(dir / "cert.pem", dir / "key.pem");
    REQUIRE(tls);
    Fixture fixture({}, tls->get());
    const auto trusting = *make_tls_client({.ca_file = (dir / "cert.pem").string()});
    CHECK(fixture.get("/", trusting)->body.find(R"("secure":true)") != std::string::npos);
    const auto stranger = fixture.get("/", *make_tls_client({}));
    REQUIRE(!stranger);
    CHECK(stranger.error().what.find("TLS certificate refused") == 0);
    CHECK(fixture.get("/", *make_tls_client({.verify = false})));

    make("second");
    REQUIRE((*tls)->reload());
    CHECK(!fixture.get("/", trusting));  // the old one is no longer served
    CHECK(fixture.get("/", *make_tls_client({.ca_file = (dir / "cert.pem").string()})));
    std::filesystem::remove(dir / "key.pem");
    CHECK(!(*tls)->reload());
    CHECK(fixture.get("/", *make_tls_client({.ca_file = (dir / "cert.pem").string()})));
}

TEST_CASE("URLs are taken apart or refused with a reason")
{
    const auto url = *parse_url("https://[2001:db8::1]:8443/x?y=1");
    CHECK(url.tls);
    CHECK(url.host == "2001:db8::1");
    CHECK(url.authority() == "[2001:db8::1]:8443");
    CHECK(url.target == "/x?y=1");
    CHECK(parse_url("http://example.com")->authority() == "example.com");
    CHECK(!parse_url("ftp://example.com"));
    CHECK(!parse_url("http://"));
    CHECK(!parse_url("example.com"));
    CHECK(!parse_url("ws://[fd00::1]:8="));
}

TEST_CASE("JSON is read within bounds and written so that it reads back")
{
    CHECK(!parse_json("{\"a\":1"));
    CHECK(!parse_json("{\"a\":1,\"a\":2}"));
    CHECK(!parse_json(std::string(20, '[') + std::string(20, ']')));
    CHECK(!parse_json("18446744073709551615"));
    CHECK(!parse_json(""));
    JsonWriter json;
    json.object()
        .field("text", "a\"\\\n\x01\xff\xc3\xa9")
        .field("tenth", 0.1)
        .key("list")
        .array()
        .number(std::int64_t{-3})
        .null()
        .end_array()
        .end_object();
    const auto read = *parse_json(json.str());
    CHECK(*read.at("text").text() == "a\"\\\n\x01\xef\xbf\xbd\xc3\xa9");
    CHECK(*read.at("tenth").real() == 0.1);
    CHECK(*read.at("list").array()->at(0).integer() == -3);
}

}  // namespace nw::net
