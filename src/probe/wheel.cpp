#include "probe/wheel.hpp"

#include "base/assert.hpp"

#include <algorithm>
#include <bit>

namespace nw::probe {

void Wheel::set(std::uint32_t timer, std::int64_t tick)
{
    clear(timer);
    auto& node = nodes_[timer];
    node.tick = std::max(tick, now_ + 1);
    const auto slot = slot_of(node.tick);
    node.next = heads_[slot];
    node.previous = kNone;
    if (node.next != kNone) nodes_[node.next].previous = timer;
    heads_[slot] = timer;
    occupied_[slot / 64] |= 1ULL << (slot % 64);
}

void Wheel::clear(std::uint32_t timer)
{
    auto& node = nodes_[timer];
    if (node.tick == kNever) return;
    const auto slot = slot_of(node.tick);
    if (node.previous == kNone) heads_[slot] = node.next;
    else nodes_[node.previous].next = node.next;
    if (node.next != kNone) nodes_[node.next].previous = node.previous;
    if (heads_[slot] == kNone) occupied_[slot / 64] &= ~(1ULL << (slot % 64));
    node.tick = kNever;
}

void Wheel::collect(std::uint32_t slot, std::int64_t now, std::vector<std::uint32_t>& due)
{
    for (auto timer = heads_[slot]; timer != kNone;) {
        const auto next = nodes_[timer].next;
        if (nodes_[timer].tick <= now) {
            clear(timer);
            due.push_back(timer);
        }
        timer = next;
    }
}

void Wheel::advance(std::int64_t now, std::vector<std::uint32_t>& due)
{
    if (now <= now_) return;
    const auto steps = std::min<std::int64_t>(now - now_, kSlots);
    for (std::int64_t i = 1; i <= steps; ++i) {
        const auto slot = slot_of(now_ + i);
        if (heads_[slot] != kNone) collect(slot, now, due);
    }
    now_ = now;
}

std::int64_t Wheel::next_tick() const
{
    const auto first = slot_of(now_ + 1);
    for (std::uint32_t step = 0; step <= kSlots / 64; ++step) {
        const auto word = (first / 64 + step) % occupied_.size();
        auto bits = occupied_[word];
        if (step == 0) bits &= ~0ULL << (first % 64);
        if (step == kSlots / 64) bits &= (1ULL << (first % 64)) - 1;
        if (bits == 0) continue;
        const auto slot = std::uint32_t(word * 64 + std::size_t(std::countr_zero(bits)));
        return now_ + 1 + std::int64_t((slot - first) & (kSlots - 1));
    }
    return kNever;
}

}  // namespace nw::probe
