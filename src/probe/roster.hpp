// The probes of an engine: those that wait for their target's first address, and those that have a slot in its core. They
// begin anew when the device they are bound to goes or comes back.
//
// `Target` is the engine's own; it has `ProbeId id`, `TargetAddress where`, `StartOptions options` and `settings` with
// `interval`. `Core` retires, excuses and relocks a slot. A probe that is edited is another target with the same id: the
// old one keeps its slot until the core has drained it, and is no longer found by the id.
#pragma once

#include "base/assert.hpp"
#include "base/task_group.hpp"
#include "probe/device_changes.hpp"
#include "probe/engine.hpp"
#include "probe/resolver.hpp"
#include "probe/start_options.hpp"
#include "probe/target_address.hpp"
#include "probe/timekeeper.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

namespace nw::probe {

template <class Target>
class RosterHost {
public:
    virtual ~RosterHost() = default;
    // It is known by now where the target is, or why it is not.
    virtual void launch(std::unique_ptr<Target> target) = 0;
    // The target has another address than before, or another problem.
    virtual void relocated(Target& target) = 0;
};

template <class Target, class Core>
class Roster {
public:
    Roster(const EngineContext& context, TaskGroup& tasks, Core& core, RosterHost<Target>& host)
        : resolver_(context.resolver), policy_(context.policy), clock_(context.clock), tasks_(tasks), core_(core),
          host_(host), devices_(context.devices,
                                [this](const std::string& device, packet::Family family) { device_changed(device, family); })
    {}

    Target& at(std::uint32_t slot) { return *entries_[slot].target; }
    const Target& at(std::uint32_t slot) const { return *entries_[slot].target; }
    std::optional<std::uint32_t> slot_of(ProbeId probe) const
    {
        const auto found = by_id_.find(probe);
        return found == by_id_.end() ? std::nullopt : std::optional(found->second);
    }
    const Target* running(ProbeId probe) const
    {
        const auto slot = slot_of(probe);
        return slot ? &at(*slot) : nullptr;
    }
    template <class Each>
    void for_each_slot(Each each) const
    {
        for (std::uint32_t slot = 0; slot < entries_.size(); ++slot)
            if (entries_[slot].target) each(slot, *entries_[slot].target);
    }
    // No probe is running, starting or draining.
    bool empty() const { return by_id_.empty() && starting_.empty() && occupied_ == 0; }

    // In the place of what has run under its id so far. Launched at once, or when its name is resolved. A name is not asked
    // for through a device that leads nowhere: that it is so is known at once, and said in the first run.
    void start(std::unique_ptr<Target> target)
    {
        if (const auto before = withdraw(target->id)) core_.retire(*before, Core::Ending::Drain);
        begin(std::move(target));
    }
    void stop(ProbeId probe)
    {
        if (const auto slot = withdraw(probe)) core_.retire(*slot, Core::Ending::Drop);
    }
    // What keeps the target's packets from leaving through the device it is bound to.
    std::optional<NotReady> obstacle(const Target& target)
    {
        const auto& question = target.where.question();
        return target.where.known() ? devices_.obstacle(question.device, target.where.address().address.family)
                                    : devices_.obstacle(question.device, question.family);
    }
    // The wall clock was set: runs begin where it says from now on.
    void relock(const Timekeeper& time)
    {
        for (const auto& [probe, slot] : by_id_)
            if (const auto& target = at(slot); target.options.first != FirstRun::OffBeat)
                core_.relock(slot, time.next_start(probe, target.settings.interval, time.now()));
    }
    void place(std::uint32_t slot, std::unique_ptr<Target> target)
    {
        if (slot >= entries_.size()) entries_.resize(slot + 1);
        by_id_[target->id] = slot;
        entries_[slot] = {std::move(target), ++tokens_};
        ++occupied_;
    }
    std::unique_ptr<Target> vacate(std::uint32_t slot)
    {
        NW_ASSERT(entries_[slot].target);
        auto target = std::move(entries_[slot].target);
        if (slot_of(target->id) == slot) by_id_.erase(target->id);
        --occupied_;
        return target;
    }
    // Resolves the target's name again when its answer has expired.
    void refresh(std::uint32_t slot)
    {
        auto& entry = entries_[slot];
        if (!entry.target->where.needs_answer(clock_)) return;
        entry.target->where.asking();
        tasks_.spawn("resolve", resolve_again(slot, entry.token, entry.target->where.question()));
    }

private:
    struct Entry {
        std::unique_ptr<Target> target{};
        std::uint64_t token = 0;  // tells tenants of the slot, and starts of the probe, apart
    };

    std::optional<std::uint32_t> withdraw(ProbeId probe)
    {
        starting_.erase(probe);
        const auto slot = slot_of(probe);
        if (slot) by_id_.erase(probe);
        return slot;
    }

    void begin(std::unique_ptr<Target> target)
    {
        if (obstacle(*target) || target->where.known()) return host_.launch(std::move(target));
        const auto probe = target->id;
        const auto token = ++tokens_;
        auto question = target->where.question();
        starting_[probe] = {std::move(target), token};
        tasks_.spawn("resolve", resolve_first(probe, token, std::move(question)));
    }

    // Every probe that is bound to the device begins anew: one that went says so now and not at its next run, one that came
    // back is measured at once. What was measured before is handed out; what was under way is nobody's loss.
    void device_changed(const std::string& device, packet::Family family)
    {
        resolver_.forget(device);
        ask_again(device);
        for (const auto slot : bound_to(device)) {
            const auto& before = at(slot);
            // Who counts runs and waits for them goes on with the same.
            if (before.options.first == FirstRun::OffBeat || before.options.runs_max != StartOptions{}.runs_max) continue;
            if (before.where.known() && before.where.address().address.family != family) continue;
            const auto gone = obstacle(before);
            auto again = std::make_unique<Target>(
                Target{.id = before.id, .settings = before.settings, .where = before.where.again(!gone)});
            if (gone) core_.excuse(slot, gone->outcome, gone->why);
            start(std::move(again));
        }
    }

    // Whoever waits for the first address of such a name asks once more.
    void ask_again(const std::string& device)
    {
        for (auto& [probe, entry] : starting_) {
            auto question = entry.target->where.question();
            if (question.device != device) continue;
            entry.token = ++tokens_;
            tasks_.spawn("resolve", resolve_first(probe, entry.token, std::move(question)));
        }
    }

    std::vector<std::uint32_t> bound_to(const std::string& device) const
    {
        std::vector<std::uint32_t> slots;
        for (const auto& [probe, slot] : by_id_)
            if (at(slot).where.question().device == device) slots.push_back(slot);
        return slots;
    }

    Task<void> resolve_first(ProbeId probe, std::uint64_t token, Question question)
    {
        const auto answer = co_await resolver_.resolve(std::move(question));
        const auto found = starting_.find(probe);
        if (found == starting_.end() || found->second.token != token) co_return;  // stopped or changed meanwhile
        auto target = std::move(found->second.target);
        starting_.erase(found);
        target->where.take(answer, policy_);
        host_.launch(std::move(target));
    }

    Task<void> resolve_again(std::uint32_t slot, std::uint64_t token, Question question)
    {
        const auto answer = co_await resolver_.resolve(std::move(question));
        auto& entry = entries_[slot];
        if (!entry.target || entry.token != token) co_return;
        entry.target->where.take(answer, policy_);
        host_.relocated(*entry.target);
    }

    Resolver& resolver_;
    const Policy& policy_;
    const Clock& clock_;
    TaskGroup& tasks_;
    Core& core_;
    RosterHost<Target>& host_;
    std::vector<Entry> entries_{};
    std::size_t occupied_ = 0;
    std::unordered_map<ProbeId, std::uint32_t> by_id_{};
    std::unordered_map<ProbeId, Entry> starting_{};
    std::uint64_t tokens_ = 0;
    DeviceChanges devices_;
};

}  // namespace nw::probe
