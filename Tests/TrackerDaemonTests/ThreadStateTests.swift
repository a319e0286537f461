import Glibc
import LinuxKernel
import Synchronization
import SystemPackage
import Testing

@Suite struct ThreadStateTests {
    @Test func nameCannotForgeTheState() {
        #expect(ThreadState(stat: Array("12 (a) D 1) S 1 2".utf8)) == .sleeping)
        #expect(ThreadState(stat: Array("12 (x) D 1 2".utf8)) == .waitingForDisk)
        #expect(ThreadState(stat: Array("12 (x".utf8)) == nil)
        #expect(ThreadState(stat: Array("12 (x)".utf8)) == nil)
        #expect(ThreadState(stat: Array("12 (x) ?".utf8)) == nil)
        #expect(ThreadState(stat: []) == nil)
    }

    @Test func callerRunsAndAGoneThreadIsAnError() throws {
        #expect(try ThreadState.of(thread: currentThreadIdentifier()) == .running)
        #expect(throws: Errno.noSuchFileOrDirectory) { try ThreadState.of(thread: .max) }
    }

    /// vfork(2) holds its caller in uninterruptible sleep until the child executes, and this child can't before a FIFO
    /// that is to be its input has a writer.
    @Test func uninterruptibleSleepIsSeen() throws {
        let scratch = try Scratch()
        let fifo = scratch.path + "/fifo"
        try #require(mkfifo(fifo, 0o600) == 0)
        let thread = KernelThread(name: "in vfork") {
            var actions = posix_spawn_file_actions_t()
            posix_spawn_file_actions_init(&actions)
            posix_spawn_file_actions_addopen(&actions, 0, fifo, O_RDONLY, 0)
            var child = pid_t()
            let argument = strdup("true")
            var arguments = [argument, nil]
            if posix_spawn(&child, "/bin/true", &actions, nil, &arguments, nil) == 0 { waitpid(child, nil, 0) }
            posix_spawn_file_actions_destroy(&actions)
            free(argument)
        }
        #expect(eventually { (try? ThreadState.of(thread: thread.identifier)) == .waitingForDisk })
        let writer = try OwnedDescriptor.open(Array(fifo.utf8), flags: O_WRONLY)
        thread.join()
        _ = writer.number
    }
}
