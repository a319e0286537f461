import LinuxKernel
import SystemPackage

/// A command that runs and is fed through its standard input.
///
/// The lock of its consumer is held by it too: a command that outlives this process keeps the next one from starting
/// beside it.
final class FedCommand {
    private var child: ChildProcess
    private var input: Input?
    private let poll: EventPoll
    private let ended: OwnedDescriptor
    private let interruptions: Interruptions

    /// The command did not read everything.
    private(set) var leftInput = false

    /// A class, so that it can be given up.
    private final class Input {
        let descriptor: OwnedDescriptor
        init(_ descriptor: consuming OwnedDescriptor) { self.descriptor = descriptor }
    }

    /// Bytes that a write to a pipe takes whole or not at all (PIPE_BUF, pipe(7)). Whole lines go into each, so that a
    /// command never takes the beginning of a path for a path, not even when this process is killed in between.
    private static let pieceSize = 4_096
    /// Milliseconds between looks whether the command has read everything: no event tells of that.
    private static let emptyingInterval: Int32 = 2

    private static let inputTag: UInt64 = 0
    private static let endTag: UInt64 = 1
    private static let signalTag: UInt64 = 2

    /// - Throws: the errno of pipe2(2) or posix_spawnp(3): `ENOENT` when there is no such command.
    init(
        _ arguments: [[UInt8]], environment: [(name: [UInt8], value: [UInt8])], holding lock: CInt,
        _ interruptions: Interruptions
    ) throws(Errno) {
        let pipe = try Pipe()
        let reader = pipe.reader
        let writer = pipe.writer
        try writer.setNonBlocking()
        let poll = try EventPoll()
        let child = try ChildProcess.spawn(
            arguments, environment: environment, input: .descriptor(reader.number), inheriting: [lock],
            ignoring: interruptions.ignored)
        reader.close()
        let ended = try child.descriptor()
        try poll.add(ended.number, for: .readable, tag: Self.endTag)
        try poll.add(interruptions.descriptor, for: .readable, tag: Self.signalTag)
        self.child = child
        self.ended = ended
        self.poll = poll
        self.interruptions = interruptions
        input = Input(writer)
    }

    /// Gives the command whole lines.
    ///
    /// - Parameter end: the byte that ends a line.
    /// - Returns: false when it takes no more.
    func write(_ lines: [UInt8], end: UInt8) throws(Errno) -> Bool {
        var start = 0
        while start < lines.count {
            var stop = min(start + Self.pieceSize, lines.count)
            if stop < lines.count {
                // The last line that is whole; one longer than a piece goes by itself.
                let last = lines[start..<stop].lastIndex(of: end) ?? lines[stop...].firstIndex(of: end)
                stop = (last ?? lines.count - 1) + 1
            }
            guard try write(lines[start..<stop]) else { return false }
            start = stop
        }
        return true
    }

    private func write(_ piece: ArraySlice<UInt8>) throws(Errno) -> Bool {
        // A longer line is taken whole by a pipe that is empty, up to its capacity of 65,536 bytes.
        if piece.count > Self.pieceSize { try waitUntilEmpty() }
        var rest = piece
        while !rest.isEmpty {
            guard let input, interruptions.received == nil else { return false }
            let (written, error) = rest.withUnsafeBytes { input.descriptor.write($0) }
            rest = rest.dropFirst(written)
            switch error {
            case nil: break
            case .wouldBlock?: try waitForRoom(input)
            case .brokenPipe?:
                leftInput = true
                self.input = nil
                return false
            case let error?: throw error
            }
        }
        return true
    }

    /// Waits until the command has read what it was given, or will read no more.
    private func waitUntilEmpty() throws(Errno) {
        while let input, interruptions.received == nil, input.descriptor.unreadBytes() > 0 {
            if try wait(input, for: [], milliseconds: Self.emptyingInterval) { return }
        }
    }

    private func waitForRoom(_ input: Input) throws(Errno) {
        _ = try wait(input, for: .writable, milliseconds: nil)
    }

    /// - Returns: whether the pipe is ready, or has no reader any more.
    private func wait(
        _ input: Input, for interest: EventPoll.Interest, milliseconds: Int32?
    ) throws(Errno) -> Bool {
        let number = input.descriptor.number
        try poll.add(number, for: interest, tag: Self.inputTag)
        let ready = try poll.wait(milliseconds: milliseconds)
        try poll.remove(number)
        if ready.contains(where: { $0.tag == Self.signalTag }) { passSignals() }
        // The end of the command closes the pipe, unless a child of its own has it too; whatever that one still reads
        // is of no account.
        if ready.contains(where: { $0.tag == Self.endTag }) {
            leftInput = true
            self.input = nil
        }
        return ready.contains { $0.tag == Self.inputTag }
    }

    /// Says that there is no more, and waits for the end. A signal to this process ends the command too.
    ///
    /// - Throws: the errno of waitpid(2).
    func finish() throws(Errno) -> ChildProcess.Outcome {
        input = nil
        while true {
            if let outcome = try child.poll() { return outcome }
            let ready = try poll.wait(milliseconds: nil)
            if ready.contains(where: { $0.tag == Self.signalTag }) { passSignals() }
        }
    }

    /// Ends the command, because what it was given is not all that there is.
    func abandon() {
        try? child.signal(Self.terminate)
        _ = try? finish()
    }

    private static let terminate: CInt = 15  // SIGTERM, signal(7)

    private func passSignals() {
        while let signal = interruptions.next() { try? child.signal(signal) }
    }
}
