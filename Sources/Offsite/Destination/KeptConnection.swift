import LinuxKernel
import SystemPackage

/// A connection that a worker keeps from one run to the next: a login takes longer than all that a small change needs.
///
/// What the destination answered last stands for what it would answer now, as its receiver compares the marker before it
/// writes: after a look at the destination that was more than an hour ago, or anything that failed, it is asked again. Only
/// destinations with a shell have one.
public final class KeptConnection {
    private var link: DestinationLink?
    private var session: HeldSession?
    private var answer: Answer?

    /// What the destination said of itself.
    struct Answer {
        var marker: DestinationMarker
        /// When it was asked for all of it.
        var time: MonotonicTime
    }

    /// Milliseconds that an answer is good for.
    private static let longest: Int64 = 3_600_000

    public init() {}

    /// There is one: what fails on it may be its own fault.
    public var isOpen: Bool { link != nil }

    /// Ends it: nothing of it is relied on any more.
    public func close() {
        session = nil
        answer = nil
        link = nil
    }

    /// - Returns: the link of the run before, while its connection stands.
    func take() -> DestinationLink? {
        if session?.hasEnded ?? true { close() }
        if let answer, MonotonicTime.now > answer.time.advanced(milliseconds: Self.longest) { self.answer = nil }
        return link
    }

    /// What the destination said last, as far as it need not be asked again.
    var lastAnswer: Answer? { answer }

    /// Keeps the connection of a run that went well.
    func keep(_ link: DestinationLink, _ answer: Answer) {
        guard link.isRemote, link.hasShell else { return }
        if self.link !== link || session?.hasEnded ?? true {
            close()
            guard let command = link.sharedCommand("exec cat >/dev/null"), let held = try? HeldSession(command) else {
                return
            }
            session = held
        }
        self.link = link
        self.answer = answer
    }
}

/// A remote command that waits for the end of its input. It keeps the shared connection, and ends with this process,
/// however that ends.
final class HeldSession {
    private var process: ChildProcess
    private let input: OwnedDescriptor

    /// - Throws: the errno of pipe2(2) or of posix_spawn(3).
    init(_ arguments: [[UInt8]]) throws(Errno) {
        let pipe = try Pipe()
        let reader = pipe.reader
        input = pipe.writer
        process = try ChildProcess.spawn(
            arguments, input: .descriptor(reader.number), output: .nothing, error: .nothing)
    }

    /// The connection is lost.
    var hasEnded: Bool { (try? process.poll()) != nil }
}
