#include "api/downloads.hpp"

#include "api/fields.hpp"
#include "api/handlers.hpp"
#include "api/public_url.hpp"

#include "base/digest.hpp"
#include "base/json_writer.hpp"
#include "base/text.hpp"
#include "net/url.hpp"

#include <algorithm>
#include <fstream>
#include <optional>
#include <span>
#include <tuple>

namespace nw::api {
namespace {

constexpr std::string_view kPrefix = "netwatcher-agent_";
constexpr std::string_view kSuffix = ".tar.gz";
constexpr std::size_t kPieceBytes = 256 << 10;

bool is_word(std::string_view text)
{
    const auto plain = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '+'
               || c == '~';
    };
    return !text.empty() && text.size() <= 64 && std::ranges::all_of(text, plain);
}

// The parts of a package's name; nothing for other files.
std::optional<Download> named(std::string_view name)
{
    if (!name.starts_with(kPrefix) || !name.ends_with(kSuffix) || name.size() <= kPrefix.size() + kSuffix.size())
        return std::nullopt;
    const auto parts = split(name.substr(kPrefix.size(), name.size() - kPrefix.size() - kSuffix.size()), '_');
    if (parts.size() != 3 || !std::ranges::all_of(parts, is_word)) return std::nullopt;
    return Download{.name = std::string(name),
                    .version = std::string(parts[0]),
                    .system = std::string(parts[1]),
                    .arch = std::string(parts[2])};
}

std::string hex_of(const std::string& raw) { return to_hex(std::as_bytes(std::span(raw))); }

// Only what can stand in a URL, and nothing that a shell would read between single quotes.
bool is_plain_url(std::string_view url)
{
    const auto plain = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == ':'
               || c == '/' || c == '[' || c == ']' || c == '_';
    };
    return net::parse_url(url) && std::ranges::all_of(url, plain);
}

std::string replaced(std::string text, std::string_view what, std::string_view by)
{
    for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + by.size()))
        text.replace(at, what.size(), by);
    return text;
}

}  // namespace

Task<Result<std::vector<DownloadPtr>>> Downloads::list()
{
    co_return co_await run_on(pool_, [&] { return list_now(); });
}

Task<Result<DownloadPtr>> Downloads::find(std::string name)
{
    NW_CO_TRY(const auto all, co_await list());
    const auto found = std::ranges::find(all, name, [](const auto& download) { return download->name; });
    if (found == all.end()) co_return fail(Errc::NotFound, "there is no such package");
    co_return *found;
}

Result<std::vector<DownloadPtr>> Downloads::list_now()
{
    std::error_code error;
    std::filesystem::directory_iterator files(directory_, error);
    if (error == std::errc::no_such_file_or_directory) return std::vector<DownloadPtr>{};
    if (error) return fail(Errc::Unavailable, directory_.string() + ": " + error.message());
    // The newest of each system and architecture.
    std::map<std::pair<std::string, std::string>, std::filesystem::directory_entry> newest;
    for (; files != std::filesystem::directory_iterator() && newest.size() < kDownloadsMax; files.increment(error)) {
        const auto parts = named(files->path().filename().string());
        if (error || !parts || !files->is_regular_file(error)) continue;
        auto& entry = newest[{parts->system, parts->arch}];
        if (entry.path().empty() || entry.last_write_time(error) < files->last_write_time(error)) entry = *files;
    }
    if (error) return fail(Errc::Unavailable, directory_.string() + ": " + error.message());
    std::vector<DownloadPtr> found;
    for (const auto& [target, file] : newest) {
        NW_TRY(auto download, load(file));
        found.push_back(std::move(download));
    }
    std::erase_if(kept_, [&](const auto& kept) { return std::ranges::find(found, kept.second.download) == found.end(); });
    return found;
}

Result<DownloadPtr> Downloads::load(const std::filesystem::directory_entry& file)
{
    const auto name = file.path().filename().string();
    std::error_code error;
    const auto changed = file.last_write_time(error);
    const auto size = file.file_size(error);
    if (error) return fail(Errc::Unavailable, file.path().string() + ": " + error.message());
    auto& kept = kept_[name];
    if (kept.download && kept.changed == changed && kept.download->bytes.size() == size) return kept.download;
    if (size > kDownloadBytesMax) return fail(Errc::Unavailable, file.path().string() + ": larger than a package can be");
    auto fresh = named(name).value_or(Download{});
    fresh.bytes.resize(std::size_t(size));
    std::ifstream in(file.path(), std::ios::binary);
    if (!in.read(fresh.bytes.data(), std::streamsize(fresh.bytes.size())))
        return fail(Errc::Unavailable, file.path().string() + ": could not be read");
    fresh.sha256 = hex_of(sha256(fresh.bytes));
    kept = {changed, std::make_shared<const Download>(std::move(fresh))};
    return kept.download;
}

Result<std::string> install_script(std::string_view script_template, std::string_view url,
                                   const std::vector<DownloadPtr>& downloads)
{
    if (!is_plain_url(url)) return fail(Errc::Invalid, "the controller's address cannot stand in a script");
    std::string packages;
    for (const auto& download : downloads)
        packages += (packages.empty() ? "" : "\n") + download->system + " " + download->arch + " " + download->name + " "
                    + download->sha256;
    return replaced(replaced(std::string(script_template), "@CONTROLLER@", url), "@PACKAGES@", packages);
}

namespace {

struct Sending {
    DownloadPtr download{};
    std::size_t sent = 0;
};

Task<Result<std::string>> next_piece(std::shared_ptr<Sending> state)
{
    auto piece = state->download->bytes.substr(state->sent, kPieceBytes);
    state->sent += piece.size();
    co_return piece;
}

}  // namespace

Task<Reply> get_install_script(Services& services, Call& call)
{
    NW_CO_TRY(const auto url, co_await services.metadata.read(
                                  [&](store::MetadataTx& tx) { return public_url(services, tx, call.request); }));
    NW_CO_TRY(const auto downloads, co_await services.downloads.list());
    NW_CO_TRY(auto script, install_script(services.instance.install_script, url, downloads));
    net::Response response{.content_type = "text/x-shellscript; charset=utf-8", .body = std::move(script)};
    response.headers.emplace_back("Cache-Control", "no-cache");
    co_return response;
}

Task<Reply> get_download(Services& services, Call& call)
{
    NW_CO_TRY(const auto download, co_await services.downloads.find(call.path["file"]));
    const auto state = std::make_shared<Sending>(Sending{.download = download});
    net::Response response{.content_type = "application/gzip", .source = [state] { return next_piece(state); }};
    response.headers.emplace_back("Cache-Control", "no-cache");
    response.headers.emplace_back("ETag", "\"" + download->sha256 + "\"");
    response.headers.emplace_back("Content-Disposition", "attachment; filename=\"" + download->name + "\"");
    co_return response;
}

Task<Reply> list_downloads(Services& services, Call& call)
{
    NW_CO_TRY(const auto url, co_await services.metadata.read(
                                  [&](store::MetadataTx& tx) { return public_url(services, tx, call.request); }));
    NW_CO_TRY(const auto downloads, co_await services.downloads.list());
    NW_CO_TRY(const auto script, install_script(services.instance.install_script, url, downloads));
    JsonWriter json;
    json.object().field("script_url", url + "/install.sh").field("script_sha256", hex_of(sha256(script)));
    json.key("items").array();
    for (const auto& download : downloads)
        json.object()
            .field("name", download->name)
            .field("version", download->version)
            .field("system", download->system)
            .field("arch", download->arch)
            .field("bytes", std::uint64_t{download->bytes.size()})
            .field("sha256", download->sha256)
            .field("url", url + "/download/" + download->name)
            .end_object();
    json.end_array().end_object();
    co_return json_response(std::move(json).str());
}

}  // namespace nw::api
