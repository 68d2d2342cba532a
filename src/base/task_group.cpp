#include "base/task_group.hpp"

#include "base/assert.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/system/system_error.hpp>

#include <exception>
#include <vector>

namespace nw {

TaskGroup::TaskGroup(Executor loop, Log log)
    : loop_(loop), log_(std::move(log)), emptied_(loop, std::chrono::steady_clock::time_point::max())
{}

TaskGroup::~TaskGroup() { NW_ASSERT(running_.empty()); }

void TaskGroup::spawn(std::string name, Task<void> task)
{
    if (closed_) return;
    const auto entry = running_.emplace(running_.end());
    entry->name = std::move(name);
    asio::co_spawn(loop_, std::move(task),
                   asio::bind_cancellation_slot(
                       entry->stop.slot(), [this, entry](std::exception_ptr error) { finished(entry, std::move(error)); }));
}

void TaskGroup::finished(std::list<Running>::iterator task, std::exception_ptr error)
{
    if (error) {
        try {
            std::rethrow_exception(std::move(error));
        } catch (const boost::system::system_error& thrown) {
            if (thrown.code() != asio::error::operation_aborted)
                log_.error("{} ended by an error: {}", task->name, thrown.what());
        } catch (const std::exception& thrown) {
            log_.error("{} ended by an exception: {}", task->name, thrown.what());
        }
    }
    running_.erase(task);
    if (running_.empty()) emptied_.cancel();
}

void TaskGroup::cancel()
{
    // A handler may finish a task, and so change the list, while the signals go out.
    std::vector<Running*> tasks;
    for (auto& task : running_) tasks.push_back(&task);
    for (auto* task : tasks) {
        asio::post(loop_, [this, task] {
            for (auto& running : running_)
                if (&running == task) return running.stop.emit(asio::cancellation_type::terminal);
        });
    }
}

Task<void> TaskGroup::close()
{
    co_await asio::this_coro::reset_cancellation_state(asio::disable_cancellation());
    closed_ = true;
    cancel();
    while (!running_.empty()) {
        emptied_.expires_at(std::chrono::steady_clock::time_point::max());
        co_await emptied_.async_wait(nothrow);
    }
}

}  // namespace nw
