#include "api/ranges.hpp"

namespace nw::api {

Result<store::TimeRange> range_of(const Call& call)
{
    constexpr std::int64_t latest = 4'102'444'800'000'000;  // 2100-01-01
    NW_TRY(const auto from, query_integer(call, "from", 0, latest));
    NW_TRY(const auto to, query_integer(call, "to", 0, latest));
    if (!from) return fail_field("from", "is required");
    if (!to) return fail_field("to", "is required");
    if (*to <= *from) return fail_field("to", "must be later than from");
    return store::TimeRange{*from, *to};
}

Task<Result<ProbeAndKind>> probe_of(Services& services, const Call& call)
{
    NW_CO_TRY(const auto id, path_id<ProbeId>(call, "probe"));
    NW_CO_TRY(auto probe,
              co_await services.metadata.read([&](store::MetadataTx& tx) { return tx.probes(call.workspace.id).get(id); }));
    const auto* kind = services.kinds.by_name(probe.kind);
    if (!kind) co_return fail(Errc::Conflict, "this controller does not know the probe's kind " + probe.kind);
    co_return ProbeAndKind{std::move(probe), kind};
}

double in_unit(Nanos value, std::string_view unit)
{
    return unit == "us" ? double(value.count()) / 1e3 : unit == "ms" ? double(value.count()) / 1e6 : double(value.count());
}

std::optional<double> exact_bound(const Kind& kind, const quality::Aggregate& aggregate, std::string_view column,
                                  std::string_view suffix)
{
    const auto index = kind.column_index(std::string(column) + std::string(suffix));
    if (!index || aggregate.numbers[*index] == kAbsent) return std::nullopt;
    return double(aggregate.numbers[*index]);
}

}  // namespace nw::api
