// The @name@ engine: one measurement per probe and interval, on the probe's beat. What a measurement does on the
// network is a function (measure.hpp), so that tests bring their own.
#pragma once

#include "base/task_group.hpp"
#include "probe/@name@/measure.hpp"
#include "probe/engine.hpp"

#include <cstdint>
#include <memory>
#include <unordered_map>

namespace nw::probe::@name@ {

class @Name@Engine final : public Engine {
public:
    @Name@Engine(const EngineContext& context, Measure measure);

    const Kind& kind() const override;
    Status start(const ProbeSpec& spec) override;
    void stop(ProbeId probe) override;
    EngineHealth health() override;
    Task<void> close() override;

private:
    struct Running {
        explicit Running(Loop& loop, std::uint64_t number) : until_due(loop), token(number) {}
        Timer until_due;
        std::uint64_t token = 0;
    };

    Task<void> keep_measuring(ProbeSpec spec, std::uint64_t token);
    // The probe's entry while it still belongs to the coroutine that asks; null after stop or an edit.
    Running* entry(ProbeId probe, std::uint64_t token);

    EngineContext context_;
    Measure measure_;
    std::unordered_map<ProbeId, std::unique_ptr<Running>> running_{};
    std::uint64_t tokens_ = 0;
    TaskGroup tasks_;
};

// The engine on the real network.
std::unique_ptr<Engine> make_@name@_engine(const EngineContext& context);

}  // namespace nw::probe::@name@
