import Glibc

/// Runs each piece of a task on a thread of its own. System tests wait for processes in system calls, and Swift's own
/// pool has as many threads as the machine has cores: on two, all lanes would share two threads that sleep.
final class ThreadExecutor: TaskExecutor {
    static let shared = ThreadExecutor()

    private struct Work {
        let job: UnownedJob
        let executor: UnownedTaskExecutor
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let work = UnsafeMutablePointer<Work>.allocate(capacity: 1)
        work.initialize(to: Work(job: UnownedJob(job), executor: asUnownedTaskExecutor()))
        var thread = pthread_t()
        let code = pthread_create(
            &thread, nil,
            { argument in
                let place = argument!.assumingMemoryBound(to: Work.self)
                let work = place.move()
                place.deallocate()
                work.job.runSynchronously(on: work.executor)
                return nil
            }, work)
        precondition(code == 0, "pthread_create: \(code)")
        pthread_detach(thread)
    }
}
