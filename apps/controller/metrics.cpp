#include "metrics.hpp"

#include <fmt/format.h>

namespace nw::controller {

void MetricsText::counter(std::string_view name, std::string_view help, std::uint64_t value)
{
    out_ += fmt::format("# TYPE {0} counter\n# HELP {0} {1}\n{0}_total {2}\n", name, help, value);
}

void MetricsText::gauge(std::string_view name, std::string_view help, double value)
{
    out_ += fmt::format("# TYPE {0} gauge\n# HELP {0} {1}\n{0} {2}\n", name, help, value);
}

std::string MetricsText::finish() &&
{
    out_ += "# EOF\n";
    return std::move(out_);
}

}  // namespace nw::controller
