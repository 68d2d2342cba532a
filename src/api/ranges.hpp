// Time ranges of queries, and values of histograms in the unit of their column.
#pragma once

#include "api/call.hpp"
#include "model/kind.hpp"
#include "quality/histogram.hpp"
#include "store/telemetry/telemetry.hpp"

#include <optional>
#include <string>

namespace nw::api {

// `from` and `to` of the query; both are needed, from < to.
Result<store::TimeRange> range_of(const Call& call);

struct ProbeAndKind {
    store::Probe probe{};
    const Kind* kind = nullptr;
};
// The probe of the path, with the kind its data are read by.
Task<Result<ProbeAndKind>> probe_of(Services& services, const Call& call);

// Histograms count nanoseconds; columns are in their own unit.
double in_unit(Nanos value, std::string_view unit);
// The exact minimum or maximum beside a histogram: column "<name>_min" or "<name>_max", where the kind has one.
std::optional<double> exact_bound(const Kind& kind, const quality::Aggregate& aggregate, std::string_view column,
                                  std::string_view suffix);

}  // namespace nw::api
