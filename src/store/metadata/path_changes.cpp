#include "store/metadata/metadata.hpp"
#include "store/metadata/rows.hpp"

#include "base/json_writer.hpp"
#include "net/json.hpp"
#include "sqlite/database.hpp"

namespace nw::store {
namespace {

constexpr std::string_view kSelect = "SELECT c.probe, c.at_us, c.confirmed_us, c.added, c.removed, c.before, c.after, "
                                     "c.hops_before, c.hops_after FROM path_change c ";

std::string hops_to_json(const std::vector<PathChangeHop>& hops)
{
    JsonWriter json;
    json.array();
    for (const auto& hop : hops)
        json.object()
            .field("ttl", std::uint32_t{hop.ttl})
            .field("address", hop.address)
            .field("name", hop.name)
            .end_object();
    json.end_array();
    return std::move(json).str();
}

std::vector<PathChangeHop> hops_from_json(std::string_view text)
{
    std::vector<PathChangeHop> hops;
    const auto json = net::parse_json(text);
    if (!json || !json->array()) return hops;
    for (const auto& entry : *json->array()) {
        const auto* ttl = entry.at("ttl").integer();
        const auto* address = entry.at("address").text();
        const auto* name = entry.at("name").text();
        if (ttl && address && name) hops.push_back({.ttl = std::uint8_t(*ttl), .address = *address, .name = *name});
    }
    return hops;
}

PathChange change_from(const sqlite::Statement& row)
{
    return {.probe = ProbeId(row.integer(0)),
            .at_us = row.integer(1),
            .confirmed_us = row.integer(2),
            .added = hops_from_json(row.text(3)),
            .removed = hops_from_json(row.text(4)),
            .before = row.text(5),
            .after = row.text(6),
            .hops_before = row.integer(7),
            .hops_after = row.integer(8)};
}

}  // namespace

Result<bool> PathChanges::add(const PathChange& change)
{
    NW_CHECK(Probes(db_, workspace_).get(change.probe));
    sqlite::Statement insert(db_,
                             "INSERT OR IGNORE INTO path_change (workspace, probe, at_us, confirmed_us, added, removed, "
                             "before, after, hops_before, hops_after) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
    NW_CHECK(insert.bind(1, sql_id(workspace_))
                 .bind(2, sql_id(change.probe))
                 .bind(3, change.at_us)
                 .bind(4, change.confirmed_us)
                 .bind(5, hops_to_json(change.added))
                 .bind(6, hops_to_json(change.removed))
                 .bind_blob(7, change.before)
                 .bind_blob(8, change.after)
                 .bind(9, change.hops_before)
                 .bind(10, change.hops_after)
                 .run());
    return db_.rows_changed() == 1;
}

Result<std::vector<PathChange>> PathChanges::list(std::optional<ProbeId> probe, std::int64_t from_us, std::int64_t until_us,
                                                  std::uint32_t limit)
{
    sqlite::Statement select(
        db_, std::string(kSelect)
                 + "JOIN probe p ON p.id = c.probe WHERE c.workspace = ?1 AND p.deleted_us IS NULL AND c.at_us >= ?2 AND "
                   "c.at_us < ?3 "
                 + (probe ? "AND c.probe = ?5 " : "") + "ORDER BY c.at_us DESC, c.id DESC LIMIT ?4");
    select.bind(1, sql_id(workspace_)).bind(2, from_us).bind(3, until_us).bind(4, std::int64_t{limit});
    if (probe) select.bind(5, sql_id(*probe));
    std::vector<PathChange> found;
    NW_CHECK(for_each_row(select, [&](const auto& row) { found.push_back(change_from(row)); }));
    return found;
}

Result<std::optional<PathChange>> PathChanges::last(ProbeId probe, std::int64_t until_us)
{
    NW_TRY(auto found, list(probe, INT64_MIN, until_us, 1));
    if (found.empty()) return std::nullopt;
    return std::move(found.front());
}

Status PathChanges::forget_before(std::int64_t us)
{
    sqlite::Statement drop(db_, "DELETE FROM path_change WHERE workspace = ? AND at_us < ?");
    return drop.bind(1, sql_id(workspace_)).bind(2, us).run();
}

}  // namespace nw::store
