#include "api/fields.hpp"
#include "api/handlers.hpp"

#include "base/json_writer.hpp"
#include "base/text.hpp"

namespace nw::api {
namespace {

void write_target(JsonWriter& json, const store::Target& target)
{
    json.object()
        .field("id", to_text(target.id))
        .field("address", target.address)
        .field("name", target.name)
        .key("labels")
        .array();
    for (const auto& label : target.labels) json.text(label);
    json.end_array().field("probe_count", target.probe_count).end_object();
}

bool contains(const store::Target& target, std::string_view needle)
{
    const auto word = lower(needle);
    return lower(target.address).find(word) != std::string::npos || lower(target.name).find(word) != std::string::npos;
}

}  // namespace

Task<Reply> list_targets(Services& services, Call& call)
{
    NW_CO_TRY(const auto page, page_of(call));
    NW_CO_TRY(const auto targets, co_await services.metadata.read(
                                      [&](store::MetadataTx& tx) { return tx.probes(call.workspace.id).targets(); }));
    const auto needle = call.request.query["q"];
    JsonWriter json;
    json.object().key("items").array();
    std::size_t written = 0;
    std::string next;
    // In the order of the address, which is also the cursor.
    for (const auto& target : targets) {
        if (target.address <= page.cursor || !contains(target, needle)) continue;
        if (written == page.limit) break;
        write_target(json, target);
        next = target.address;
        ++written;
    }
    json.end_array().key("next_cursor");
    if (written < page.limit) json.null();
    else json.text(next);
    json.end_object();
    co_return json_response(std::move(json).str());
}

Task<Reply> update_target(Services& services, Call& call)
{
    NW_CO_TRY(const auto id, path_id<TargetId>(call, "target"));
    Fields fields(call.body);
    const auto name = fields.maybe_text("name", 0, 100);
    const auto labels = fields.maybe_labels("labels");
    NW_CO_CHECK(fields.done());
    auto changed = co_await services.metadata.write([&](store::MetadataTx& tx) -> Result<store::Target> {
        NW_TRY(auto target, tx.probes(call.workspace.id).target(id));
        if (name) target.name = *name;
        if (labels) target.labels = *labels;
        NW_TRY(auto after, tx.probes(call.workspace.id).update_target(target, target.revision));
        NW_CHECK(tx.audit().add(audit_entry(services, call, "target.update", "target", to_text(id), after.address)));
        return after;
    });
    NW_CO_TRY(const auto target, std::move(changed));
    JsonWriter json;
    write_target(json, target);
    co_return json_response(std::move(json).str());
}

}  // namespace nw::api
