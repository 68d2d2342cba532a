#include "store/metadata/metadata.hpp"
#include "store/metadata/rows.hpp"

#include "sqlite/database.hpp"

namespace nw::store {
namespace {

constexpr std::string_view kSelect =
    "SELECT id, probe, at_us, until_us, text, author, revision, created_us, updated_us FROM annotation ";

Annotation annotation_from(const sqlite::Statement& row)
{
    const auto probe = row.maybe_integer(1);
    return {.id = AnnotationId(row.integer(0)),
            .probe = probe ? std::optional(ProbeId(*probe)) : std::nullopt,
            .at_us = row.integer(2),
            .until_us = row.maybe_integer(3),
            .text = row.text(4),
            .author = row.text(5),
            .revision = row.integer(6),
            .created_us = row.integer(7),
            .updated_us = row.integer(8)};
}

std::optional<std::int64_t> sql_probe(const std::optional<ProbeId>& probe)
{
    if (!probe) return std::nullopt;
    return sql_id(*probe);
}

}  // namespace

Result<Annotation> Annotations::add(const Annotation& annotation)
{
    if (annotation.probe) NW_CHECK(Probes(db_, workspace_).get(*annotation.probe));
    sqlite::Statement insert(db_, "INSERT INTO annotation (id, workspace, probe, at_us, until_us, text, author, created_us, "
                                  "updated_us) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)");
    NW_CHECK(insert.bind(1, sql_id(annotation.id))
                 .bind(2, sql_id(workspace_))
                 .bind(3, sql_probe(annotation.probe))
                 .bind(4, annotation.at_us)
                 .bind(5, annotation.until_us)
                 .bind(6, annotation.text)
                 .bind(7, annotation.author)
                 .bind(8, annotation.created_us)
                 .bind(9, annotation.created_us)
                 .run());
    return get(annotation.id);
}

Result<Annotation> Annotations::get(AnnotationId id)
{
    sqlite::Statement select(db_, std::string(kSelect) + "WHERE id = ? AND workspace = ? AND deleted_us IS NULL");
    NW_TRY(const bool found, select.bind(1, sql_id(id)).bind(2, sql_id(workspace_)).step());
    if (!found) return fail(Errc::NotFound, "no such annotation");
    return annotation_from(select);
}

Result<std::vector<Annotation>> Annotations::list(std::optional<ProbeId> probe, std::int64_t from_us, std::int64_t until_us,
                                                  std::uint32_t limit)
{
    sqlite::Statement select(
        db_, std::string(kSelect)
                 + "WHERE workspace = ?1 AND deleted_us IS NULL AND at_us < ?3 AND coalesce(until_us, at_us + 1) > ?2 "
                   "AND (?4 IS NULL OR probe IS NULL OR probe = ?4) ORDER BY at_us DESC, id DESC LIMIT ?5");
    select.bind(1, sql_id(workspace_))
        .bind(2, from_us)
        .bind(3, until_us)
        .bind(4, sql_probe(probe))
        .bind(5, std::int64_t{limit});
    std::vector<Annotation> found;
    NW_CHECK(for_each_row(select, [&](const auto& row) { found.push_back(annotation_from(row)); }));
    return found;
}

Result<Annotation> Annotations::update(const Annotation& changed, std::int64_t revision)
{
    sqlite::Statement update(
        db_, "UPDATE annotation SET at_us = ?, until_us = ?, text = ?, updated_us = ?, revision = revision + 1 "
             "WHERE id = ? AND workspace = ? AND revision = ? AND deleted_us IS NULL");
    NW_CHECK(update.bind(1, changed.at_us)
                 .bind(2, changed.until_us)
                 .bind(3, changed.text)
                 .bind(4, changed.updated_us)
                 .bind(5, sql_id(changed.id))
                 .bind(6, sql_id(workspace_))
                 .bind(7, revision)
                 .run());
    if (db_.rows_changed() == 1) return get(changed.id);
    NW_CHECK(get(changed.id));
    return fail(Errc::Conflict, "the annotation was changed meanwhile");
}

Status Annotations::remove(AnnotationId id, WallTime now)
{
    sqlite::Statement drop(db_, "UPDATE annotation SET deleted_us = ?, revision = revision + 1 WHERE id = ? AND workspace = "
                                "? AND deleted_us IS NULL");
    return run_on_one(db_, drop.bind(1, to_us(now)).bind(2, sql_id(id)).bind(3, sql_id(workspace_)), "annotation");
}

Result<Annotation> Annotations::restore(AnnotationId id, WallTime deleted_since)
{
    sqlite::Statement update(db_, "UPDATE annotation SET deleted_us = NULL, revision = revision + 1 WHERE id = ? AND "
                                  "workspace = ? AND deleted_us >= ?");
    NW_CHECK(run_on_one(db_, update.bind(1, sql_id(id)).bind(2, sql_id(workspace_)).bind(3, to_us(deleted_since)),
                        "deleted annotation"));
    return get(id);
}

}  // namespace nw::store
