// GET /metrics: what each part counts, as OpenMetrics text.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace nw::controller {

class MetricsText {
public:
    void counter(std::string_view name, std::string_view help, std::uint64_t value);
    void gauge(std::string_view name, std::string_view help, double value);
    // Ends the exposition.
    std::string finish() &&;

private:
    std::string out_{};
};

}  // namespace nw::controller
