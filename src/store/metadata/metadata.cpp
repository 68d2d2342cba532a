#include "store/metadata/metadata.hpp"

#include "base/json_writer.hpp"
#include "net/json.hpp"
#include "sqlite/database.hpp"
#include "store/metadata/rows.hpp"

#include <algorithm>
#include <span>
#include <utility>

namespace nw::store {

std::span<const std::pair<std::string_view, std::string_view>> metadata_migrations();

namespace {

Result<int> version_of(sqlite::Database& db)
{
    sqlite::Statement select(db, "PRAGMA user_version");
    NW_TRY(const bool row, select.step());
    return row ? int(select.integer(0)) : 0;
}

Status migrate(sqlite::Database& db)
{
    NW_TRY(const int present, version_of(db));
    if (present > schema_version())
        return fail(Errc::Corrupt, "the database is of version " + std::to_string(present) + ", newer than this program's "
                                       + std::to_string(schema_version()) + ": install the newer program");
    for (int next = present; next < schema_version(); ++next) {
        const auto& [name, sql] = metadata_migrations()[std::size_t(next)];
        NW_TRY(auto transaction, sqlite::Transaction::begin(db));
        if (auto done = db.execute(std::string(sql)); !done)
            return std::unexpected(std::move(done).error().while_doing("migration " + std::string(name)));
        NW_CHECK(db.execute("PRAGMA user_version=" + std::to_string(next + 1)));
        NW_CHECK(transaction.commit());
    }
    return {};
}

}  // namespace

int schema_version() { return int(metadata_migrations().size()); }

std::string to_json(const Labels& labels)
{
    JsonWriter json;
    json.array();
    for (const auto& label : labels) json.text(label);
    json.end_array();
    return std::move(json).str();
}

Labels labels_from(std::string_view text)
{
    Labels labels;
    const auto json = net::parse_json(text);
    if (!json || !json->array()) return labels;
    for (const auto& label : *json->array())
        if (label.text()) labels.push_back(*label.text());
    return labels;
}

bool has_label(const Labels& labels, std::string_view wanted) { return std::ranges::find(labels, wanted) != labels.end(); }

std::string like_anywhere(std::string_view needle)
{
    std::string pattern = "%";
    for (const char c : needle) {
        if (c == '%' || c == '_' || c == '\\') pattern += '\\';
        pattern += c;
    }
    return pattern + "%";
}

Status run_on_one(sqlite::Database& db, sqlite::Statement& statement, std::string_view what)
{
    NW_CHECK(statement.run());
    if (db.rows_changed() != 1) return fail(Errc::NotFound, "no such " + std::string(what));
    return {};
}

Metadata::Metadata(std::unique_ptr<sqlite::Database> writer, std::unique_ptr<sqlite::Database> reader)
    : writer_(std::move(writer)), reader_(std::move(reader))
{}

Metadata::~Metadata()
{
    writer_pool_.join();
    reader_pool_.join();
}

Result<std::unique_ptr<Metadata>> Metadata::open(const std::filesystem::path& file)
{
    NW_TRY(auto writer, sqlite::Database::open(file));
    NW_CHECK(migrate(*writer));
    NW_TRY(auto reader, sqlite::Database::open(file));
    return std::unique_ptr<Metadata>(new Metadata(std::move(writer), std::move(reader)));
}

Status Metadata::begin() { return writer_->execute("BEGIN IMMEDIATE"); }

Status Metadata::commit()
{
    auto committed = writer_->execute("COMMIT");
    if (!committed) rollback();
    return committed;
}

void Metadata::rollback() { (void)writer_->execute("ROLLBACK"); }

Task<Status> Metadata::backup(std::filesystem::path file)
{
    co_return co_await run_on(reader_pool_, [&] { return sqlite::backup_to(*reader_, file); });
}

Result<std::optional<std::string>> MetadataTx::setting(std::string_view key)
{
    sqlite::Statement select(db_, "SELECT value FROM instance WHERE key = ?");
    NW_TRY(const bool found, select.bind(1, key).step());
    if (!found) return std::nullopt;
    return select.text(0);
}

Status MetadataTx::set_setting(std::string_view key, std::string_view value)
{
    sqlite::Statement put(db_, "INSERT INTO instance VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value");
    return put.bind(1, key).bind(2, value).run();
}

Status MetadataTx::remove_setting(std::string_view key)
{
    sqlite::Statement drop(db_, "DELETE FROM instance WHERE key = ?");
    return drop.bind(1, key).run();
}

}  // namespace nw::store
