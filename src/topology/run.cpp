#include "topology/run.hpp"

#include "base/assert.hpp"

#include <algorithm>

namespace nw::topology {
namespace {

template <class T>
std::optional<T> number_of(const Rows& rows, std::size_t row, std::string_view column)
{
    const auto index = rows.kind->column_index(column);
    if (!index) return std::nullopt;
    const auto value = rows.columns[*index].numbers[row];
    if (value < 0 || value > std::int64_t{std::numeric_limits<T>::max()}) return std::nullopt;
    return T(value);
}

bool is_end(HopAnswer answer) { return answer == HopAnswer::Arrived || answer == HopAnswer::Unreachable; }

bool has_answer(const Step& step, HopAnswer wanted)
{
    return std::ranges::any_of(step.hops, [&](const PathHop& hop) { return hop.answer == wanted; });
}

// What was asked beyond the end says nothing; of several steps that nobody answered at the end, one says it all.
void cut_at_end(Flow& flow)
{
    auto& steps = flow.steps;
    const auto arrived = std::ranges::find_if(steps, [](const auto& step) { return has_answer(step, HopAnswer::Arrived); });
    flow.reached = arrived != steps.end();
    if (flow.reached) {
        steps.erase(arrived + 1, steps.end());
        return;
    }
    const auto refused =
        std::ranges::find_if(steps, [](const auto& step) { return !step.hops.empty() && is_end(step.hops.front().answer); });
    if (refused != steps.end()) steps.erase(refused + 1, steps.end());
    while (steps.size() > 1 && !steps.back().answered() && !steps[steps.size() - 2].answered()) steps.pop_back();
}

}  // namespace

bool has_paths(const Kind& kind)
{
    const auto index = kind.column_index("hops");
    return index && kind.columns[*index].type == ColumnType::Table;
}

Result<Run> run_of(const Rows& rows, std::size_t row)
{
    NW_ASSERT(has_paths(*rows.kind));
    Run run{.at_us = rows.at_us[row], .outcome = rows.outcome[row], .address = std::string(rows.address.at(row))};
    run.mtu = number_of<std::uint32_t>(rows, row, "mtu");
    run.black_hole_ttl = number_of<std::uint8_t>(rows, row, "black_hole_ttl");
    NW_TRY(run.hops, hops_of(rows, row));
    return run;
}

std::vector<Flow> flows_of(std::span<const PathHop> hops)
{
    std::vector<Flow> flows;
    for (std::size_t i = 0; i < hops.size();) {
        auto end = i + 1;
        while (end < hops.size() && hops[end].path == hops[i].path && hops[end].ttl == hops[i].ttl) ++end;
        if (i == 0 || hops[i].path != hops[i - 1].path) flows.emplace_back();
        auto& steps = flows.back().steps;
        // Bytes from outside may be in any order; what goes back is left out.
        if (hops[i].ttl > steps.size()) {
            while (steps.size() + 1 < hops[i].ttl) steps.push_back({.ttl = std::uint8_t(steps.size() + 1)});
            steps.push_back({hops[i].ttl, hops.subspan(i, end - i)});
        }
        i = end;
    }
    for (auto& flow : flows) cut_at_end(flow);
    std::erase_if(flows, [](const Flow& flow) { return flow.steps.empty(); });
    return flows;
}

}  // namespace nw::topology
