import Glibc
import LinuxKernel
import Testing

/// One thread of a process, stopped with ptrace(2) while the others run; SIGSTOP would stop them all.
final class StoppedThread {
    private let tracer: ChildProcess
    private let task: Path

    /// - Parameter name: as `/proc/PID/task/TID/comm` has it.
    init(named name: String, of process: pid_t) throws {
        let tasks = Path("/proc/\(process)/task")
        let numbers = try Disk.names(of: tasks)
        let found = numbers.first { (try? Disk.read(tasks / $0 / "comm")) == Array("\(name)\n".utf8) }
        let number = try #require(found, "no thread \(name) in process \(process)")
        task = tasks / number
        // ptrace is system call 101 of x86-64 and 117 of arm64; PTRACE_SEIZE, then PTRACE_INTERRUPT (sys/ptrace.h).
        // The stop ends with the tracer.
        let script = """
            my $ptrace = `uname -m` =~ /x86_64/ ? 101 : 117;
            syscall($ptrace, 0x4206, $ARGV[0] + 0, 0, 0) == 0 or die "PTRACE_SEIZE: $!";
            syscall($ptrace, 0x4207, $ARGV[0] + 0, 0, 0) == 0 or die "PTRACE_INTERRUPT: $!";
            sleep 60;
            """
        tracer = try ChildProcess(["perl", "-e", script, number.string])
        #expect(wait(atMost: 5) { state == "t" }, "thread \(name) does not stop")
    }

    /// The state letter of proc(5).
    private var state: String {
        let text = (try? Disk.read(task / "stat")) ?? []
        guard let end = text.lastIndex(of: UInt8(ascii: ")")), end + 2 < text.count else { return "" }
        return String(decoding: [text[end + 2]], as: UTF8.self)
    }

    func release() throws {
        tracer.signal(SIGKILL)
        _ = tracer.waitForExit(atMost: 5)
    }

    deinit { tracer.signal(SIGKILL) }
}
