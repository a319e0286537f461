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
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        // Not by pthread_detach(3) afterwards, when the thread may have ended: with it, another thread that was joined was
        // gone already, once in a dozen runs of all tests (glibc 2.36).
        pthread_attr_setdetachstate(&attributes, CInt(PTHREAD_CREATE_DETACHED))
        defer { pthread_attr_destroy(&attributes) }
        let code = pthread_create(
            &thread, &attributes,
            { argument in
                let place = argument!.assumingMemoryBound(to: Work.self)
                let work = place.move()
                place.deallocate()
                work.job.runSynchronously(on: work.executor)
                return nil
            }, work)
        precondition(code == 0, "pthread_create: \(code)")
    }
}
