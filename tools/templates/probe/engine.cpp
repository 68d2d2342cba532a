#include "probe/@name@/engine.hpp"

#include "model/kinds/@name@.hpp"
#include "probe/phase.hpp"

#include <utility>

namespace nw::probe::@name@ {

@Name@Engine::@Name@Engine(const EngineContext& context, Measure measure)
    : context_(context), measure_(std::move(measure)), tasks_(context_.loop.get_executor(), context_.log)
{}

const Kind& @Name@Engine::kind() const { return kinds::@name@; }

Status @Name@Engine::start(const ProbeSpec& spec)
{
    if (spec.number("timeout") > spec.number("interval"))
        return fail_field("settings.timeout", "must not be longer than the interval");
    const auto token = ++tokens_;
    running_[spec.id] = std::make_unique<Running>(context_.loop, token);
    tasks_.spawn("@name@", keep_measuring(spec, token));
    return {};
}

void @Name@Engine::stop(ProbeId probe) { running_.erase(probe); }

EngineHealth @Name@Engine::health() { return {}; }

Task<void> @Name@Engine::close()
{
    running_.clear();
    co_await tasks_.close();
}

@Name@Engine::Running* @Name@Engine::entry(ProbeId probe, std::uint64_t token)
{
    const auto found = running_.find(probe);
    return found != running_.end() && found->second->token == token ? found->second.get() : nullptr;
}

// The first run is at once, so that a new probe has a result soon; the others keep the probe's beat.
Task<void> @Name@Engine::keep_measuring(ProbeSpec spec, std::uint64_t token)
{
    while (entry(spec.id, token)) {
        auto sample = make_sample(kinds::@name@, spec.id, context_.clock.wall());
        co_await measure_(context_, spec, sample);
        auto* mine = entry(spec.id, token);
        if (!mine) co_return;
        context_.sink(std::move(sample));
        const Nanos now = context_.clock.wall().time_since_epoch();
        mine->until_due.expires_after(next_start(spec.id, spec.interval(), now + Nanos(1)) - now);
        const auto [error] = co_await mine->until_due.async_wait(nothrow);
        if (error) co_return;
    }
}

std::unique_ptr<Engine> make_@name@_engine(const EngineContext& context)
{
    return std::make_unique<@Name@Engine>(context, measure);
}

}  // namespace nw::probe::@name@
