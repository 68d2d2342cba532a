#include "net/url.hpp"

#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

namespace nw::net {

std::string Url::authority() const
{
    const auto name = host.find(':') == std::string::npos ? host : "[" + host + "]";
    const bool default_port = port == (tls ? 443 : 80);
    return default_port ? name : name + ":" + std::to_string(port);
}

Result<Url> parse_url(std::string_view text)
{
    const auto parsed = boost::urls::parse_uri({text.data(), text.size()});
    if (!parsed) return fail(Errc::Invalid, "'" + std::string(text) + "' is not a URL: " + parsed.error().message());
    const auto scheme = std::string(parsed->scheme());
    const bool tls = scheme == "https" || scheme == "wss";
    if (!tls && scheme != "http" && scheme != "ws")
        return fail(Errc::Invalid, "'" + std::string(text) + "' must start with http://, https://, ws:// or wss://");
    Url url{.tls = tls, .host = std::string(parsed->host_address())};
    if (url.host.empty()) return fail(Errc::Invalid, "'" + std::string(text) + "' has no host");
    url.port = parsed->has_port() ? parsed->port_number() : std::uint16_t(tls ? 443 : 80);
    if (url.port == 0) return fail(Errc::Invalid, "'" + std::string(text) + "' has no valid port");
    url.target = std::string(parsed->encoded_path());
    if (url.target.empty()) url.target = "/";
    // Boost.URL 1.81 takes what follows a port that is no number for a path.
    if (!url.target.starts_with('/')) return fail(Errc::Invalid, "'" + std::string(text) + "' has no valid port");
    if (parsed->has_query()) url.target += "?" + std::string(parsed->encoded_query());
    return url;
}

}  // namespace nw::net
