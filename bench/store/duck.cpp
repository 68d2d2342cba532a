#include "duck.hpp"

#include <dlfcn.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>

namespace nw::bench {
namespace {

// duckdb.h: numbers of the types, and the result that is passed by value.
enum Type : std::uint32_t { kUtinyint = 6, kUsmallint = 7, kInteger = 4, kBigint = 5, kBlob = 18 };
struct Result {
    std::uint64_t columns = 0, rows = 0, changed = 0;
    void* deprecated = nullptr;
    char* error = nullptr;
    void* internal = nullptr;
};

constexpr auto kTable =
    "CREATE TABLE ping(ts BIGINT, seq BIGINT, agent INTEGER, probe INTEGER, received_at BIGINT, outcome UTINYINT, "
    "sent USMALLINT, received USMALLINT, rtt_min INTEGER, rtt_max INTEGER, rtt_sum INTEGER, rtt_sum_squares BIGINT, "
    "ipdv_sum INTEGER, "
    "ipdv_count USMALLINT, late USMALLINT, duplicates USMALLINT, reordered USMALLINT, corrupted USMALLINT, unreachable "
    "USMALLINT, "
    "ttl_reply USMALLINT, resolve_us INTEGER, rtt BLOB)";
constexpr std::size_t kOwn = 6;  // columns before those of the kind
constexpr std::size_t kColumns = 22;
constexpr std::array<Type, kColumns> kTypes{kBigint,    kBigint,    kInteger,   kInteger,   kBigint,    kUtinyint,
                                            kUsmallint, kUsmallint, kInteger,   kInteger,   kInteger,   kBigint,
                                            kInteger,   kUsmallint, kUsmallint, kUsmallint, kUsmallint, kUsmallint,
                                            kUsmallint, kUsmallint, kInteger,   kBlob};

[[noreturn]] void die(const char* what)
{
    std::fprintf(stderr, "duckdb: %s\n", what ? what : "?");
    std::exit(1);
}

std::int64_t value(const Ping& ping, std::size_t column)
{
    switch (column) {
    case 0: return ping.at_us;
    case 1: return ping.at_us / 1'000'000;
    case 2: return std::int64_t(agent_of(ping.probe));
    case 3: return std::int64_t(ping.probe) + 1;
    case 4: return ping.at_us + 61'000'000;
    case 5: return 0;
    default: return std::max<std::int64_t>(0, ping.numbers[column - kOwn]);
    }
}

template <class T>
void fill(void* to, const std::vector<Ping>& rows, std::size_t begin, std::size_t count, std::size_t column)
{
    for (std::size_t i = 0; i < count; ++i) static_cast<T*>(to)[i] = T(value(rows[begin + i], column));
}

}  // namespace

struct Duck::Api {
    void* library = nullptr;
    template <class F>
    void take(F& function, const char* name)
    {
        function = reinterpret_cast<F>(::dlsym(library, name));
        if (!function) die(name);
    }
    const char* (*library_version)() = nullptr;
    int (*create_config)(void**) = nullptr;
    int (*set_config)(void*, const char*, const char*) = nullptr;
    void (*destroy_config)(void**) = nullptr;
    int (*open_ext)(const char*, void**, void*, char**) = nullptr;
    int (*connect)(void*, void**) = nullptr;
    void (*disconnect)(void**) = nullptr;
    void (*close)(void**) = nullptr;
    int (*query)(void*, const char*, Result*) = nullptr;
    const char* (*result_error)(Result*) = nullptr;
    void (*destroy_result)(Result*) = nullptr;
    void* (*fetch_chunk)(Result) = nullptr;
    std::uint64_t (*chunk_size)(void*) = nullptr;
    void (*destroy_chunk)(void**) = nullptr;
    void* (*create_type)(std::uint32_t) = nullptr;
    void (*destroy_type)(void**) = nullptr;
    void* (*create_chunk)(void**, std::uint64_t) = nullptr;
    void (*chunk_reset)(void*) = nullptr;
    void (*chunk_set_size)(void*, std::uint64_t) = nullptr;
    void* (*chunk_vector)(void*, std::uint64_t) = nullptr;
    void* (*vector_data)(void*) = nullptr;
    void (*assign_string)(void*, std::uint64_t, const char*, std::uint64_t) = nullptr;
    std::uint64_t (*vector_size)() = nullptr;
    int (*appender_create)(void*, const char*, const char*, void**) = nullptr;
    int (*append_chunk)(void*, void*) = nullptr;
    int (*appender_destroy)(void**) = nullptr;

    void take_all()
    {
        take(library_version, "duckdb_library_version");
        take(create_config, "duckdb_create_config");
        take(set_config, "duckdb_set_config");
        take(destroy_config, "duckdb_destroy_config");
        take(open_ext, "duckdb_open_ext");
        take(connect, "duckdb_connect");
        take(disconnect, "duckdb_disconnect");
        take(close, "duckdb_close");
        take(query, "duckdb_query");
        take(result_error, "duckdb_result_error");
        take(destroy_result, "duckdb_destroy_result");
        take(fetch_chunk, "duckdb_fetch_chunk");
        take(chunk_size, "duckdb_data_chunk_get_size");
        take(destroy_chunk, "duckdb_destroy_data_chunk");
        take(create_type, "duckdb_create_logical_type");
        take(destroy_type, "duckdb_destroy_logical_type");
        take(create_chunk, "duckdb_create_data_chunk");
        take(chunk_reset, "duckdb_data_chunk_reset");
        take(chunk_set_size, "duckdb_data_chunk_set_size");
        take(chunk_vector, "duckdb_data_chunk_get_vector");
        take(vector_data, "duckdb_vector_get_data");
        take(assign_string, "duckdb_vector_assign_string_element_len");
        take(vector_size, "duckdb_vector_size");
        take(appender_create, "duckdb_appender_create");
        take(append_chunk, "duckdb_append_data_chunk");
        take(appender_destroy, "duckdb_appender_destroy");
    }
};

std::unique_ptr<Duck> Duck::load()
{
    const auto* given = std::getenv("NW_DUCKDB");
    const std::string path = given ? given : NW_DUCKDB_DEFAULT;
    void* library = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (!library) return nullptr;
    auto duck = std::unique_ptr<Duck>(new Duck);
    duck->api_ = std::make_unique<Api>();
    duck->api_->library = library;
    duck->api_->take_all();
    return duck;
}

Duck::~Duck() { close(); }

std::string Duck::version() const { return api_->library_version(); }

void Duck::open(const std::filesystem::path& file, int threads)
{
    std::filesystem::remove(file);
    std::filesystem::remove(file.string() + ".wal");
    void* config = nullptr;
    api_->create_config(&config);
    api_->set_config(config, "threads", std::to_string(threads).c_str());
    api_->set_config(config, "memory_limit", "1GB");
    api_->set_config(config, "checkpoint_threshold", "64MB");
    char* error = nullptr;
    if (api_->open_ext(file.c_str(), &database_, config, &error) != 0) die(error);
    api_->destroy_config(&config);
    if (api_->connect(database_, &connection_) != 0) die("connect");
    run(kTable);
    std::array<void*, kColumns> types{};
    for (std::size_t i = 0; i < kColumns; ++i) types[i] = api_->create_type(kTypes[i]);
    chunk_ = api_->create_chunk(types.data(), kColumns);
    for (auto& type : types) api_->destroy_type(&type);
}

void Duck::append(const std::vector<Ping>& rows, std::size_t begin, std::size_t end)
{
    run("BEGIN");
    void* appender = nullptr;
    if (api_->appender_create(connection_, nullptr, "ping", &appender) != 0) die("appender");
    while (begin < end) {
        const auto count = std::min<std::size_t>(end - begin, api_->vector_size());
        api_->chunk_reset(chunk_);
        for (std::size_t c = 0; c < kColumns; ++c) {
            void* vector = api_->chunk_vector(chunk_, c);
            void* data = api_->vector_data(vector);
            switch (kTypes[c]) {
            case kUtinyint: fill<std::uint8_t>(data, rows, begin, count, c); break;
            case kUsmallint: fill<std::uint16_t>(data, rows, begin, count, c); break;
            case kInteger: fill<std::int32_t>(data, rows, begin, count, c); break;
            case kBigint: fill<std::int64_t>(data, rows, begin, count, c); break;
            case kBlob:
                for (std::size_t i = 0; i < count; ++i)
                    api_->assign_string(vector, i, rows[begin + i].histogram.data(), rows[begin + i].histogram.size());
            }
        }
        api_->chunk_set_size(chunk_, count);
        if (api_->append_chunk(appender, chunk_) != 0) die("append");
        begin += count;
    }
    if (api_->appender_destroy(&appender) != 0) die("appender");
    run("COMMIT");
}

void Duck::sort()
{
    run("CREATE TABLE sorted AS SELECT * FROM ping ORDER BY probe, ts");
    run("DROP TABLE ping");
    run("CHECKPOINT");
}

std::uint64_t Duck::run(const std::string& sql)
{
    Result result;
    if (api_->query(connection_, sql.c_str(), &result) != 0) die(api_->result_error(&result));
    std::uint64_t rows = 0;
    while (void* chunk = api_->fetch_chunk(result)) {
        rows += api_->chunk_size(chunk);
        api_->destroy_chunk(&chunk);
    }
    api_->destroy_result(&result);
    return rows;
}

void Duck::close()
{
    if (chunk_) api_->destroy_chunk(&chunk_);
    if (connection_) api_->disconnect(&connection_);
    if (database_) api_->close(&database_);
}

}  // namespace nw::bench
