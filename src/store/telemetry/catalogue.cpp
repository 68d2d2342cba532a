#include "store/telemetry/catalogue.hpp"

#include <fmt/format.h>

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstring>
#include <optional>

namespace nw::store {
namespace {

namespace fs = std::filesystem;

std::chrono::year_month_day date_of(std::int64_t day) { return std::chrono::sys_days{std::chrono::days{day}}; }

std::string day_text(std::int64_t day)
{
    const auto date = date_of(day);
    return fmt::format("{:04}{:02}{:02}", int(date.year()), unsigned(date.month()), unsigned(date.day()));
}

template <class T>
std::optional<T> parse_number(std::string_view text)
{
    T value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return value;
}

// "ping-20260124-h3.db" -> kind name, 20260124, "h3".
struct Name {
    std::string kind{};
    std::int64_t date = 0;
    std::string rest{};
};

std::optional<Name> parse_name(std::string_view name)
{
    if (!name.ends_with(".db")) return std::nullopt;
    name.remove_suffix(3);
    const auto last = name.rfind('-');
    if (last == std::string_view::npos || last == 0) return std::nullopt;
    const auto middle = name.rfind('-', last - 1);
    if (middle == std::string_view::npos) return std::nullopt;
    const auto date = parse_number<std::int64_t>(name.substr(middle + 1, last - middle - 1));
    if (!date) return std::nullopt;
    return Name{std::string(name.substr(0, middle)), *date, std::string(name.substr(last + 1))};
}

std::optional<std::int64_t> day_of_date(std::int64_t yyyymmdd)
{
    const std::chrono::year_month_day date{std::chrono::year(int(yyyymmdd / 10000)),
                                           std::chrono::month(unsigned(yyyymmdd / 100 % 100)),
                                           std::chrono::day(unsigned(yyyymmdd % 100))};
    if (!date.ok()) return std::nullopt;
    return std::chrono::sys_days(date).time_since_epoch().count();
}

void remove_database(const fs::path& path)
{
    std::error_code ignored;
    for (const auto* suffix : {"-wal", "-shm", "-journal", ""}) fs::remove(path.string() + suffix, ignored);
}

Error io_error(const fs::path& path, const char* doing)
{
    return Error{Errc::Unavailable, fmt::format("{} {}: {}", doing, path.string(), std::strerror(errno)), {}};
}

}  // namespace

std::int64_t month_of(std::int64_t day)
{
    const auto date = date_of(day);
    return (int(date.year()) - 1970) * 12LL + unsigned(date.month()) - 1;
}

std::int64_t first_day(std::int64_t month)
{
    using namespace std::chrono;
    return sys_days(year_month_day{year(int(1970 + month / 12)), std::chrono::month(unsigned(month % 12) + 1),
                                   std::chrono::day(1)})
        .time_since_epoch()
        .count();
}

Status sync_path(const fs::path& path)
{
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return std::unexpected(io_error(path, "open"));
    const int synced = ::fsync(fd);
    const auto error = synced == 0 ? Error{} : io_error(path, "sync");
    ::close(fd);
    return synced == 0 ? Status{} : std::unexpected(error);
}

const Day* Contents::day(const Kind& kind, std::int64_t day) const
{
    const auto found = days.find({kind.number, day});
    return found == days.end() ? nullptr : &found->second;
}

std::shared_ptr<RollupFile> Contents::rollup(const Kind& kind, std::int64_t month, Width width) const
{
    const auto found = rollups.find({kind.number, month, width});
    return found == rollups.end() ? nullptr : found->second;
}

Result<std::unique_ptr<Catalogue>> Catalogue::open(const fs::path& dir, const Kinds& kinds, Log log)
{
    std::error_code error;
    fs::create_directories(dir / "chunks", error);
    if (!error) fs::create_directories(dir / "rollups", error);
    if (error) return fail(Errc::Unavailable, fmt::format("create {}: {}", dir.string(), error.message()));
    auto catalogue = std::unique_ptr<Catalogue>(new Catalogue(dir, std::move(log)));
    NW_CHECK(catalogue->scan_chunks(kinds));
    NW_CHECK(catalogue->scan_rollups(kinds));
    return catalogue;
}

Status Catalogue::scan_chunks(const Kinds& kinds)
{
    struct Found {
        const Kind* kind = nullptr;
        std::map<std::uint64_t, fs::path> open{};
        std::map<std::uint64_t, fs::path> closed{};
    };
    std::map<DayKey, Found> found;
    std::vector<fs::path> unfinished;
    for (const auto& entry : fs::directory_iterator(dir_ / "chunks")) {
        if (entry.path().extension() == ".tmp") unfinished.push_back(entry.path());
        const auto name = parse_name(entry.path().filename().string());
        if (!name || name->rest.size() < 2) continue;
        const auto* kind = kinds.by_name(name->kind);
        const auto day = day_of_date(name->date);
        const auto generation = parse_number<std::uint64_t>(std::string_view(name->rest).substr(1));
        if (!kind || !day || !generation || (name->rest[0] != 'h' && name->rest[0] != 'd')) {
            log_.warn("not a file of this store, left alone: {}", entry.path().string());
            continue;
        }
        auto& of_day = found[{kind->number, *day}];
        of_day.kind = kind;
        (name->rest[0] == 'h' ? of_day.open : of_day.closed)[*generation] = entry.path();
    }
    for (const auto& path : unfinished) remove_database(path);
    for (auto& [key, files] : found) {
        Day day{.kind = files.kind, .day = key.second};
        NW_CHECK(settle(day, files.open, files.closed));
        if (day.open || day.closed) put(std::move(day));
    }
    return {};
}

// The closed file of the highest generation counts; what it replaced was to be removed when the process ended.
Status Catalogue::settle(Day& day, std::map<std::uint64_t, fs::path>& open, std::map<std::uint64_t, fs::path>& closed)
{
    const auto look = [&](const std::shared_ptr<ChunkFile>& file) -> Result<std::uint64_t> {
        NW_TRY(const auto snapshot, ChunkFile::snapshot(file));
        for (const auto& seal : snapshot->seals()) day.max_us = std::max(day.max_us, seal.max_us);
        return snapshot->epoch();
    };
    if (!closed.empty()) {
        day.generation = closed.rbegin()->first;
        day.closed = std::make_shared<ChunkFile>(closed.rbegin()->second, ChunkFile::Sort::Closed);
        NW_TRY(day.epoch, look(day.closed));
        closed.erase(day.generation);
    }
    for (const auto& [generation, path] : closed) remove_database(path);
    for (const auto& [generation, path] : open) {
        if (generation < day.generation) {
            remove_database(path);
            continue;
        }
        // A file without a finished sealing may lack even its tables.
        auto file = std::make_shared<ChunkFile>(path, ChunkFile::Sort::Open);
        {
            NW_TRY(const auto writer, SealWriter::open(path, ChunkFile::Sort::Open, *day.kind));
        }
        NW_CHECK(look(file));
        day.open = std::move(file);
    }
    return {};
}

Status Catalogue::scan_rollups(const Kinds& kinds)
{
    for (const auto& entry : fs::directory_iterator(dir_ / "rollups")) {
        const auto name = parse_name(entry.path().filename().string());
        if (!name) continue;
        const auto* kind = kinds.by_name(name->kind);
        const auto day = day_of_date(name->date * 100 + 1);
        if (!kind || !day || (name->rest != "5m" && name->rest != "1h")) continue;
        const auto width = name->rest == "5m" ? Width::FiveMinutes : Width::Hour;
        NW_CHECK(RollupFile::repair(entry.path()));
        auto file = std::make_shared<RollupFile>(entry.path());
        put_rollup({kind->number, month_of(*day), width}, std::move(file));
    }
    return {};
}

std::shared_ptr<const Contents> Catalogue::contents() const
{
    const std::lock_guard lock(mutex_);
    return contents_;
}

template <class Change>
void Catalogue::change(Change change)
{
    const std::lock_guard lock(mutex_);
    auto next = std::make_shared<Contents>(*contents_);
    change(*next);
    contents_ = std::move(next);
}

fs::path Catalogue::open_path(const Kind& kind, std::int64_t day, std::uint64_t generation) const
{
    return dir_ / "chunks" / fmt::format("{}-{}-h{}.db", kind.name, day_text(day), generation);
}

fs::path Catalogue::closed_path(const Kind& kind, std::int64_t day, std::uint64_t generation) const
{
    return dir_ / "chunks" / fmt::format("{}-{}-d{}.db", kind.name, day_text(day), generation);
}

fs::path Catalogue::rollup_path(const Kind& kind, std::int64_t month, Width width) const
{
    return dir_ / "rollups"
           / fmt::format("{}-{}-{}.db", kind.name, day_text(first_day(month)).substr(0, 6),
                         width == Width::Hour ? "1h" : "5m");
}

void Catalogue::put(Day day)
{
    const DayKey key{day.kind->number, day.day};
    change([&](Contents& contents) { contents.days[key] = std::move(day); });
}

void Catalogue::remove(const DayKey& key)
{
    change([&](Contents& contents) { contents.days.erase(key); });
}

void Catalogue::put_rollup(const RollupKey& key, std::shared_ptr<RollupFile> file)
{
    change([&](Contents& contents) { contents.rollups[key] = std::move(file); });
}

void Catalogue::remove_rollup(const RollupKey& key)
{
    change([&](Contents& contents) { contents.rollups.erase(key); });
}

}  // namespace nw::store
