#include "api/panel.hpp"

#include "base/testing.hpp"

#include <algorithm>

namespace nw::api {
namespace {

// printf 'what is packed, is packed, is packed\n' | gzip -n9
constexpr std::string_view kScript = "what is packed, is packed, is packed\n";
constexpr char kPackedBytes[] =
    "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\x2b\xcf\x48\x2c\x51\xc8\x2c\x56\x28\x48\x4c\xce\x4e"
    "\x4d\xd1\xc1\xca\xe4\x02\x00\xce\x42\xf9\xcf\x25\x00\x00\x00";
constexpr std::string_view kPacked(kPackedBytes, sizeof kPackedBytes - 1);
constexpr PanelAsset kAssets[] = {
    {"/index.html", "text/html; charset=utf-8", "W/\"page\"", false, "<html>", "", "", 6},
    {"/assets/app-01234567.js", "text/javascript", "W/\"app\"", true, "", kPacked, "(brotli)", kScript.size()},
    {"/assets/late-01234567.js", "text/javascript", "W/\"late\"", true, "", kPacked, "", kScript.size()},
    {"/assets/torn-01234567.js", "text/javascript", "W/\"torn\"", true, "", kPacked.substr(0, 20), "", kScript.size()},
};

net::Response get(std::string path, net::Params headers = {}, net::Method method = net::Method::Get)
{
    return Panel(kAssets).serve({.method = method, .path = std::move(path), .headers = std::move(headers)});
}

std::string_view body_of(const net::Response& response)
{
    return response.static_body.empty() ? std::string_view(response.body) : response.static_body;
}

std::string_view header_of(const net::Response& response, std::string_view name)
{
    const auto found = std::ranges::find(response.headers, name, [](const auto& header) { return header.first; });
    return found == response.headers.end() ? std::string_view() : std::string_view(found->second);
}

}  // namespace

TEST_CASE("a browser gets the smallest form that it takes, as it lies in the program")
{
    const auto brotli = get("/assets/app-01234567.js", {{"accept-encoding", "gzip, deflate, br, zstd"}});
    CHECK(brotli.static_body == "(brotli)");
    CHECK(header_of(brotli, "Content-Encoding") == "br");
    const auto gzip = get("/assets/late-01234567.js", {{"accept-encoding", "gzip, deflate, br, zstd"}});
    CHECK(gzip.static_body.data() == kPacked.data());
    CHECK(header_of(gzip, "Content-Encoding") == "gzip");
    CHECK(header_of(gzip, "Vary") == "Accept-Encoding");
    CHECK(header_of(gzip, "Cache-Control") == "public, max-age=31536000, immutable");
}

TEST_CASE("a client that takes no gzip gets the file as it was built, with the same tag")
{
    for (const auto* accepted : {"", "identity", "gzip;q=0, br;q=0", "deflate"}) {
        const auto plain = get("/assets/app-01234567.js", {{"accept-encoding", accepted}});
        CHECK(plain.status == 200);
        CHECK(body_of(plain) == kScript);
        CHECK(header_of(plain, "Content-Encoding").empty());
        CHECK(header_of(plain, "ETag") == "W/\"app\"");
        CHECK(header_of(plain, "Vary") == "Accept-Encoding");
        CHECK(plain.content_type == "text/javascript");
    }
    CHECK(body_of(get("/assets/late-01234567.js")) == kScript);
    // Without a body the server still says how long it would be: the answer to HEAD is made like that to GET.
    CHECK(body_of(get("/assets/late-01234567.js", {}, net::Method::Head)) == kScript);
}

TEST_CASE("what does not get smaller is served as it is, whatever the client takes")
{
    const auto page = get("/index.html", {{"accept-encoding", "gzip, br"}});
    CHECK(page.static_body.data() == kAssets[0].plain.data());
    CHECK(header_of(page, "Content-Encoding").empty());
    CHECK(header_of(page, "Cache-Control") == "no-cache");
}

TEST_CASE("a file that the client has is not sent again, packed or not")
{
    for (const auto* accepted : {"", "gzip"}) {
        const auto same = get("/assets/late-01234567.js", {{"accept-encoding", accepted}, {"if-none-match", "W/\"late\""}});
        CHECK(same.status == 304);
        CHECK(body_of(same).empty());
        CHECK(header_of(same, "ETag") == "W/\"late\"");
        CHECK(header_of(same, "Content-Encoding").empty());
        CHECK(get("/assets/late-01234567.js", {{"if-none-match", "W/\"app\""}}).status == 200);
    }
}

TEST_CASE("a damaged packed file is an error, not half a script")
{
    const auto torn = get("/assets/torn-01234567.js");
    CHECK(torn.status == 500);
    CHECK(torn.content_type == "application/problem+json");
    CHECK(header_of(torn, "Cache-Control").empty());
    CHECK(header_of(torn, "ETag").empty());
}

TEST_CASE("pages of the panel are its index, files that are not there are not")
{
    CHECK(body_of(get("/w/default/map")) == "<html>");
    for (const auto* path : {"/api/v1/nothing", "/assets/gone-01234567.js", "/favicon.gif", "/download/x"})
        CHECK(get(path).status == 404);
    CHECK(get("/index.html", {}, net::Method::Post).status == 405);
}

}  // namespace nw::api
