import Glibc
import SystemPackage
import Testing

@testable import LinuxKernel

@Suite("Child processes")
struct ChildProcessTests {
    /// Runs a shell script and gives back what it wrote.
    private func output(
        of script: String, environment: [(name: [UInt8], value: [UInt8])] = [],
        input: ChildProcess.Stream = .nothing, inheriting: [CInt] = []
    ) throws -> String {
        let pipe = try Pipe()
        let (reader, writer) = (pipe.reader.number, pipe.writer.number)
        var child = try ChildProcess.spawn(
            ["sh", "-c", script].map { Array($0.utf8) }, environment: environment, input: input,
            output: .descriptor(writer), error: .descriptor(writer), inheriting: inheriting)
        let outcome = try child.wait()
        #expect(outcome == .exited(0))
        var text = [UInt8](repeating: 0, count: 4_096)
        let count = try systemCall { read(reader, &text, text.count) }
        return String(decoding: text[..<count], as: UTF8.self)
    }

    @Test("tell how they ended, as often as they are asked")
    func outcomes() throws {
        var child = try ChildProcess.spawn(["sh", "-c", "exit 23"].map { Array($0.utf8) })
        #expect(try child.wait() == .exited(23))
        #expect(try child.wait() == .exited(23))
        #expect(try child.poll() == .exited(23))
        #expect(throws: Errno.noSuchProcess) { try child.signal(SIGTERM) }
        #expect(throws: Errno.noSuchProcess) { _ = try child.descriptor() }
    }

    @Test("run until they are signalled, and their descriptor tells")
    func signals() throws {
        var child = try ChildProcess.spawn(["sleep", "600"].map { Array($0.utf8) })
        let descriptor = try child.descriptor()
        let poll = try EventPoll()
        try poll.add(descriptor.number, for: .readable, tag: 7)
        #expect(try poll.wait(milliseconds: 20).isEmpty)
        #expect(try child.poll() == nil)
        try child.signal(SIGTERM)
        #expect(try poll.wait(milliseconds: 5_000).map(\.tag) == [7])
        #expect(try child.poll() == .signalled(SIGTERM))
    }

    @Test("do not outlive their owner")
    func ownership() throws {
        let child = try ChildProcess.spawn(["sleep", "600"].map { Array($0.utf8) })
        let identifier = child.identifier
        _ = consume child
        #expect(kill(identifier, 0) == -1 && errno == ESRCH)
    }

    @Test("a command that is not there is an error, and so is what is no argument")
    func errors() {
        let missing = Array("no-such-command-anywhere".utf8)
        #expect(throws: Errno.noSuchFileOrDirectory) { _ = try ChildProcess.spawn([missing]) }
        #expect(throws: Errno.permissionDenied) { _ = try ChildProcess.spawn([Array("/etc/passwd".utf8)]) }
        #expect(throws: Errno.invalidArgument) { _ = try ChildProcess.spawn([]) }
        #expect(throws: Errno.invalidArgument) { _ = try ChildProcess.spawn([[0x61, 0, 0x62]]) }
        let name = Array("A=B".utf8)
        #expect(throws: Errno.invalidArgument) { _ = try ChildProcess.spawn([missing], environment: [(name, [])]) }
        #expect(throws: Errno.badFileDescriptor) { _ = try ChildProcess.spawn([Array("true".utf8)], inheriting: [999]) }
    }

    @Test("get what is added to the environment, bytes as they are, beside this process's own")
    func environment() throws {
        let place = Array("CHILD_PROCESS_TEST".utf8)
        let text = try output(
            of: "printf %s \"$CHILD_PROCESS_TEST\" | od -An -tx1; test -n \"$PATH\" && env | grep -c ^HOME=",
            environment: [(place, [0xFF, 0x3D, 0x0A]), (Array("HOME".utf8), Array("/".utf8))])
        #expect(text == " ff 3d 0a\n1\n")
    }

    @Test("read a given descriptor, or nothing")
    func input() throws {
        let pipe = try Pipe()
        Array("some input".utf8).withUnsafeBytes { _ = pipe.writer.write($0) }
        #expect(try output(of: "head -c 10", input: .descriptor(pipe.reader.number)) == "some input")
        #expect(try output(of: "wc -c", input: .nothing) == "0\n")
    }

    @Test("get the descriptors that are named, under their numbers, and no others")
    func inheritance() throws {
        let pipe = try Pipe()
        let other = try Pipe()
        let (named, unnamed) = (pipe.writer.number, other.writer.number)
        let text = try output(
            of: "test -e /proc/self/fd/\(named) && echo named; test -e /proc/self/fd/\(unnamed) || echo alone",
            inheriting: [named])
        #expect(text == "named\nalone\n")
        #expect(fcntl(named, F_GETFD) == FD_CLOEXEC)
        #expect(fcntl(unnamed, F_GETFD) == FD_CLOEXEC)
    }

    @Test("streams can change places")
    func exchangedStreams() throws {
        let pipe = try Pipe()
        let writer = pipe.writer.number
        var child = try ChildProcess.spawn(
            ["sh", "-c", "test -e /proc/self/fd/0 && test -e /proc/self/fd/2 && echo fine >&2"].map { Array($0.utf8) },
            input: .descriptor(2), output: .descriptor(0), error: .descriptor(writer))
        #expect(try child.wait() == .exited(0))
        var text = [UInt8](repeating: 0, count: 64)
        let count = try systemCall { read(pipe.reader.number, &text, text.count) }
        #expect(text[..<count].elementsEqual("fine\n".utf8))
    }

    @Test("have no signal blocked or ignored, whatever holds here")
    func signalState() throws {
        // Of the calling thread and the process; put back at the end.
        var all = sigset_t()
        var before = sigset_t()
        sigfillset(&all)
        pthread_sigmask(SIG_BLOCK, &all, &before)
        let handler = Glibc.signal(SIGPIPE, SIG_IGN)
        defer {
            Glibc.signal(SIGPIPE, handler)
            pthread_sigmask(SIG_SETMASK, &before, nil)
        }
        let masks = try output(of: "sed -En 's/^Sig(Blk|Ign):\\t//p' /proc/self/status").split(separator: "\n")
        // Signals 32 and 33 are glibc's own: whoever ignored them, it leaves them alone.
        #expect(masks.count == 2 && masks.allSatisfy { UInt64($0, radix: 16).map { $0 & ~(3 << 31) } == 0 }, "\(masks)")
    }
}
