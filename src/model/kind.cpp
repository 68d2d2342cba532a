#include "model/kind.hpp"

#include "base/assert.hpp"

#include <algorithm>

namespace nw {
namespace {

template <class T>
const T* named(std::span<const T> items, std::string_view name)
{
    const auto found = std::ranges::find(items, name, &T::name);
    return found == items.end() ? nullptr : &*found;
}

}  // namespace

const Setting* Kind::setting(std::string_view setting_name) const { return named(settings, setting_name); }
const Metric* Kind::metric(std::string_view metric_name) const { return named(metrics, metric_name); }

std::optional<std::size_t> Kind::column_index(std::string_view column_name) const
{
    const auto found = std::ranges::find(columns, column_name, &Column::name);
    if (found == columns.end()) return std::nullopt;
    return std::size_t(found - columns.begin());
}

Kinds::Kinds(std::vector<const Kind*> kinds) : kinds_(std::move(kinds))
{
    for (const auto* kind : kinds_) {
        NW_ASSERT(by_number(kind->number) == kind && by_name(kind->name) == kind);  // unique
        NW_ASSERT(kind->setting("interval") != nullptr);                            // the scheduler needs one
    }
}

const Kind* Kinds::by_number(std::uint64_t number) const
{
    const auto found = std::ranges::find_if(kinds_, [&](const Kind* kind) { return kind->number == number; });
    return found == kinds_.end() ? nullptr : *found;
}

const Kind* Kinds::by_name(std::string_view name) const
{
    const auto found = std::ranges::find_if(kinds_, [&](const Kind* kind) { return kind->name == name; });
    return found == kinds_.end() ? nullptr : *found;
}

}  // namespace nw
