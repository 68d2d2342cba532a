#include "api/panel.hpp"

#include "base/text.hpp"
#include "net/gzip.hpp"

namespace nw::api {
namespace {

bool accepts(const net::Request& request, std::string_view coding)
{
    for (const auto part : split(request.header("accept-encoding"), ',')) {
        const auto name = trimmed(part.substr(0, part.find(';')));
        if (name == coding) return part.find("q=0") == std::string_view::npos || part.find("q=0.") != std::string_view::npos;
    }
    return false;
}

// Paths that are never pages of the panel, so that a mistyped one is a 404 and not a page.
bool is_page(std::string_view path)
{
    for (const std::string_view prefix : {"/api", "/agent/", "/assets/", "/download/"})
        if (path.starts_with(prefix)) return false;
    return path.substr(path.rfind('/')).find('.') == std::string_view::npos;
}

void add_body(net::Response& response, const PanelAsset& asset, const net::Request& request)
{
    if (!asset.brotli.empty() && accepts(request, "br")) {
        response.static_body = asset.brotli;
        response.headers.emplace_back("Content-Encoding", "br");
    } else if (!asset.gzip.empty() && accepts(request, "gzip")) {
        response.static_body = asset.gzip;
        response.headers.emplace_back("Content-Encoding", "gzip");
    } else if (asset.gzip.empty()) {
        response.static_body = asset.plain;
    } else {
        auto plain = net::gunzip(asset.gzip, asset.size);
        // tools/embed_panel.py has unpacked it once: only the program itself can be damaged.
        if (plain) response.body = *std::move(plain);
        else response = net::problem(plain.error(), request.id);
    }
}

net::Response file(const PanelAsset& asset, const net::Request& request)
{
    net::Response response{.content_type = std::string(asset.content_type)};
    response.headers.emplace_back("ETag", asset.etag);
    response.headers.emplace_back("Cache-Control", asset.immutable ? "public, max-age=31536000, immutable" : "no-cache");
    response.headers.emplace_back("Vary", "Accept-Encoding");
    if (request.header("if-none-match") == asset.etag) response.status = 304;
    else add_body(response, asset, request);
    return response;
}

}  // namespace

Panel::Panel(std::span<const PanelAsset> assets)
{
    for (const auto& asset : assets) assets_.emplace(asset.path, &asset);
}

net::Response Panel::serve(const net::Request& request) const
{
    if (request.method != net::Method::Get && request.method != net::Method::Head)
        return net::problem(405, "this method is not allowed here", request.id);
    if (const auto found = assets_.find(request.path); found != assets_.end()) return file(*found->second, request);
    const auto index = assets_.find("/index.html");
    if (index == assets_.end() || !is_page(request.path))
        return net::problem(404, "there is nothing at this path", request.id);
    return file(*index->second, request);
}

std::vector<std::pair<std::string, std::string>> security_headers()
{
    return {{"Content-Security-Policy",
             "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src "
             "'self'; "
             "worker-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"},
            {"X-Content-Type-Options", "nosniff"},
            {"Referrer-Policy", "same-origin"},
            {"Cross-Origin-Opener-Policy", "same-origin"}};
}

}  // namespace nw::api
