#include "api/annotation_view.hpp"
#include "api/feed.hpp"
#include "api/fields.hpp"
#include "api/handlers.hpp"
#include "api/ranges.hpp"

namespace nw::api {
namespace {

constexpr std::size_t kTextBytesMax = 500;

net::Response annotation_response(const store::Annotation& annotation, int status = 200)
{
    JsonWriter json;
    write_annotation(json, annotation);
    auto response = json_response(std::move(json).str(), status);
    response.headers.emplace_back("ETag", etag_of(annotation.revision));
    return response;
}

// Members that are left out keep what `annotation` has; an `until_us` of null makes a moment of a span.
void read_times(Fields& fields, store::Annotation& annotation)
{
    if (fields.has("at_us")) annotation.at_us = fields.integer("at_us", 0, store::kTimeMaxUs);
    if (fields.has("until_us")) {
        if (fields.raw("until_us").is_null()) annotation.until_us = std::nullopt;
        else annotation.until_us = fields.integer("until_us", 0, store::kTimeMaxUs);
    }
    if (annotation.until_us && *annotation.until_us <= annotation.at_us)
        fields.refuse("until_us", "must be later than at_us");
}

Result<store::Annotation> read_new(const Call& call)
{
    Fields fields(call.body);
    store::Annotation annotation{.text = fields.text("text", 1, kTextBytesMax), .author = call.who->user.name};
    if (!fields.has("at_us")) fields.refuse("at_us", "is required");
    read_times(fields, annotation);
    if (fields.has("probe") && !fields.raw("probe").is_null()) {
        annotation.probe = parse_id<ProbeId>(fields.text("probe", 1, 64));
        if (!annotation.probe) fields.refuse("probe", "is no probe of this workspace");
    }
    NW_CHECK(fields.done());
    return annotation;
}

std::string detail_of(const store::Annotation& annotation)
{
    JsonWriter json;
    json.object()
        .field("probe", annotation.probe ? std::optional(to_text(*annotation.probe)) : std::nullopt)
        .field("at_us", annotation.at_us)
        .field("until_us", annotation.until_us)
        .end_object();
    return std::move(json).str();
}

store::AuditEntry audited(const Services& services, const Call& call, std::string_view action,
                          const store::Annotation& annotation)
{
    return audit_entry(services, call, action, "annotation", to_text(annotation.id), annotation.text, detail_of(annotation));
}

}  // namespace

void write_annotation(JsonWriter& json, const store::Annotation& annotation)
{
    json.object()
        .field("id", to_text(annotation.id))
        .field("probe", annotation.probe ? std::optional(to_text(*annotation.probe)) : std::nullopt)
        .field("at_us", annotation.at_us)
        .field("until_us", annotation.until_us)
        .field("text", annotation.text)
        .field("author", annotation.author)
        .field("created_us", annotation.created_us)
        .field("updated_us", annotation.updated_us)
        .end_object();
}

Task<Reply> list_annotations(Services& services, Call& call)
{
    NW_CO_TRY(const auto range, range_of(call));
    NW_CO_TRY(const auto limit, query_integer(call, "limit", 1, 1000));
    NW_CO_TRY(const auto found, co_await services.metadata.read([&](store::MetadataTx& tx) {
        return tx.annotations(call.workspace.id)
            .list(std::nullopt, range.from_us, range.until_us, std::uint32_t(limit.value_or(100)));
    }));
    JsonWriter json;
    json.object().key("items").array();
    for (const auto& annotation : found) write_annotation(json, annotation);
    json.end_array().end_object();
    co_return json_response(std::move(json).str());
}

Task<Reply> create_annotation(Services& services, Call& call)
{
    NW_CO_TRY(auto annotation, read_new(call));
    const auto now = services.clock.wall();
    annotation.id = make_id<AnnotationId>(services.random, now);
    annotation.created_us = to_us(now);
    auto made = co_await services.metadata.write([&](store::MetadataTx& tx) -> Result<store::Annotation> {
        auto added = tx.annotations(call.workspace.id).add(annotation);
        if (!added && added.error().code == Errc::NotFound) return fail_field("probe", "is no probe of this workspace");
        if (added) NW_CHECK(tx.audit().add(audited(services, call, "annotation.create", *added)));
        return added;
    });
    NW_CO_TRY(const auto added, std::move(made));
    services.feed.annotated(call.workspace.id, added.probe);
    co_return annotation_response(added, 201);
}

Task<Reply> update_annotation(Services& services, Call& call)
{
    NW_CO_TRY(const auto id, path_id<AnnotationId>(call, "annotation"));
    Fields fields(call.body);
    const auto text = fields.maybe_text("text", 1, kTextBytesMax);
    auto changed = co_await services.metadata.write([&](store::MetadataTx& tx) -> Result<store::Annotation> {
        NW_TRY(auto annotation, tx.annotations(call.workspace.id).get(id));
        if (text) annotation.text = *text;
        read_times(fields, annotation);
        NW_CHECK(fields.done());
        NW_TRY(const auto revision, revision_to_change(call, annotation.revision));
        annotation.updated_us = to_us(services.clock.wall());
        NW_TRY(auto after, tx.annotations(call.workspace.id).update(annotation, revision));
        NW_CHECK(tx.audit().add(audited(services, call, "annotation.update", after)));
        return after;
    });
    NW_CO_TRY(const auto annotation, std::move(changed));
    services.feed.annotated(call.workspace.id, annotation.probe);
    co_return annotation_response(annotation);
}

Task<Reply> delete_annotation(Services& services, Call& call)
{
    NW_CO_TRY(const auto id, path_id<AnnotationId>(call, "annotation"));
    auto removed = co_await services.metadata.write([&](store::MetadataTx& tx) -> Result<store::Annotation> {
        NW_TRY(auto annotation, tx.annotations(call.workspace.id).get(id));
        NW_CHECK(revision_to_change(call, annotation.revision));
        NW_CHECK(tx.annotations(call.workspace.id).remove(id, services.clock.wall()));
        NW_CHECK(tx.audit().add(audited(services, call, "annotation.delete", annotation)));
        return annotation;
    });
    NW_CO_TRY(const auto annotation, std::move(removed));
    services.feed.annotated(call.workspace.id, annotation.probe);
    co_return no_content();
}

Task<Reply> restore_annotation(Services& services, Call& call)
{
    NW_CO_TRY(const auto id, path_id<AnnotationId>(call, "annotation"));
    auto restored = co_await services.metadata.write([&](store::MetadataTx& tx) -> Result<store::Annotation> {
        NW_TRY(auto annotation, tx.annotations(call.workspace.id).restore(id, services.clock.wall() - kRestoreWithin));
        NW_CHECK(tx.audit().add(audited(services, call, "annotation.restore", annotation)));
        return annotation;
    });
    NW_CO_TRY(const auto annotation, std::move(restored));
    services.feed.annotated(call.workspace.id, annotation.probe);
    co_return annotation_response(annotation);
}

}  // namespace nw::api
