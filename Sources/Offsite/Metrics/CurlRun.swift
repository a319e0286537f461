import LinuxKernel
import SystemPackage

/// One run of curl, which is killed when its time is over.
struct CurlRun: ~Copyable {
    /// What curl left.
    struct Ended {
        let outcome: ChildProcess.Outcome
        /// The HTTP status; 0 when there was no answer.
        let status: Int
        /// The beginning of what curl and the server said.
        let message: [UInt8]
    }

    /// For `--write-out`: the HTTP status ends the output, behind what the server and curl said. 000: no answer.
    static let statusFormat = "\\n%{http_code}"

    private var child: ChildProcess
    private let output: OwnedDescriptor
    private let ended: OwnedDescriptor
    private let poll: EventPoll
    private var text = BoundedText()
    private var isAtEnd = false

    private static let outputTag: UInt64 = 0
    private static let endTag: UInt64 = 1
    private static let stopTag: UInt64 = 2

    /// - Parameters:
    ///   - input: what it reads on standard input, in one go: less than a pipe holds (65,536 bytes, pipe(7)).
    ///   - stop: a descriptor that ends the run when it is readable.
    static func run(
        _ arguments: [[UInt8]], input: [UInt8], until deadline: MonotonicTime, stop: CInt?
    ) throws(MetricsFailure) -> Ended {
        let result: Result<Ended, MetricsFailure>
        do throws(Errno) {
            var run = try CurlRun(arguments, input: input)
            result = try run.wait(until: deadline, stop: stop)
        } catch {
            throw .curl(error)
        }
        return try result.get()
    }

    private init(_ arguments: [[UInt8]], input: [UInt8]) throws(Errno) {
        // The input is in the pipe before there is a reader that could go away: no SIGPIPE, and nothing to wait for.
        let inputPipe = try Pipe()
        let inputReader = inputPipe.reader
        let inputWriter = inputPipe.writer
        try inputWriter.setNonBlocking()
        if let error = input.withUnsafeBytes({ inputWriter.write($0).error }) { throw error }
        inputWriter.close()
        let outputPipe = try Pipe()
        let outputReader = outputPipe.reader
        let outputWriter = outputPipe.writer
        try outputReader.setNonBlocking()
        let child = try ChildProcess.spawn(
            arguments, input: .descriptor(inputReader.number), output: .descriptor(outputWriter.number),
            error: .descriptor(outputWriter.number))
        outputWriter.close()
        let ended = try child.descriptor()
        let poll = try EventPoll()
        try poll.add(outputReader.number, for: .readable, tag: Self.outputTag)
        try poll.add(ended.number, for: .readable, tag: Self.endTag)
        self.child = child
        self.ended = ended
        self.poll = poll
        output = outputReader
    }

    private mutating func wait(
        until deadline: MonotonicTime, stop: CInt?
    ) throws(Errno) -> Result<Ended, MetricsFailure> {
        if let stop { try poll.add(stop, for: .readable, tag: Self.stopTag) }
        while true {
            let left = deadline - .now
            guard left > 0 else { return .failure(.timedOut) }
            // Rounded up: a rest of less than a millisecond is waited for, not spun through.
            let ready = try poll.wait(milliseconds: Int32(clamping: left / 1_000_000 + 1))
            if ready.contains(where: { $0.tag == Self.stopTag }) { return .failure(.interrupted) }
            if !isAtEnd { try readOutput() }
            if let outcome = try child.poll() {
                // All that it wrote is in the pipe; what came since the last read is read now.
                if !isAtEnd { try readOutput() }
                return .success(Ended(outcome: outcome, status: text.status ?? 0, message: text.message))
            }
        }
    }

    /// Reads what is there, a pipe's worth at most: a server that sends without end must not hold this up.
    private mutating func readOutput() throws(Errno) {
        for _ in 0..<16 {
            do throws(Errno) {
                let bytes = try output.read(atMost: 4_096)
                if bytes.isEmpty {
                    isAtEnd = true
                    // An end is ready for ever.
                    return try poll.remove(output.number)
                }
                text.append(bytes)
            } catch .wouldBlock {
                return
            }
        }
    }
}

/// The beginning of a text, and the status that ends it.
private struct BoundedText {
    private static let limit = 512
    /// A line feed and three digits.
    private static let statusLength = 4

    private var beginning: [UInt8] = []
    private var end: [UInt8] = []
    private var length = 0

    mutating func append(_ bytes: [UInt8]) {
        length += bytes.count
        beginning += bytes.prefix(Self.limit + Self.statusLength - beginning.count)
        end = Array((end + bytes).suffix(Self.statusLength))
    }

    /// nil when curl ended without one.
    var status: Int? {
        guard end.count == Self.statusLength, end[0] == UInt8(ascii: "\n") else { return nil }
        return Int(String(decoding: end.dropFirst(), as: UTF8.self))
    }

    /// At most the limit.
    var message: [UInt8] {
        Array(beginning.prefix(min(status == nil ? length : length - Self.statusLength, Self.limit)))
    }
}
