import Glibc
import LinuxKernel
import SystemPackage

/// A request with curl whose caller goes on with its work, and asks now and then what became of it. Ends with its owner.
public final class BackgroundPush {
    private var curl: ChildProcess
    private let output: OwnedDescriptor
    private let errors: OwnedDescriptor
    private var answer = CurlAnswer()
    private var said: [UInt8] = []
    private let deadline: MonotonicTime
    private var isLate = false

    /// Bytes that are read at a time, and kept of what curl says of its errors.
    private static let piece = 4_096

    /// - Parameter command: curl, found in `PATH`; it may have arguments of its own.
    /// - Throws: why curl could not be started.
    convenience init(_ request: CurlRequest, command: [[UInt8]] = [Array("curl".utf8)]) throws(MetricsFailure) {
        do throws(Errno) { try self.init(starting: request, command) } catch { throw .curl(error) }
    }

    private init(starting request: CurlRequest, _ command: [[UInt8]]) throws(Errno) {
        let list = try OwnedDescriptor.memoryFile(request.configuration)
        let outputs = try Pipe()
        let complaints = try Pipe()
        output = outputs.reader
        let outputWriter = outputs.writer
        errors = complaints.reader
        let errorWriter = complaints.writer
        curl = try ChildProcess.spawn(
            command + request.arguments, environment: [(Array("LC_ALL".utf8), Array("C".utf8))],
            input: .descriptor(list.number),
            output: .descriptor(outputWriter.number), error: .descriptor(errorWriter.number))
        deadline = MonotonicTime.now.advanced(milliseconds: Int64(request.limits.overall) * 1_000)
        try output.setNonBlocking()
        try errors.setNonBlocking()
    }

    public enum Outcome: Equatable, Sendable {
        case underWay
        /// It is over: why it failed; nil: it did not.
        case ended(MetricsFailure?)
    }

    /// Never waits.
    public func poll() -> Outcome {
        drain()
        let outcome: ChildProcess.Outcome?
        do throws(Errno) { outcome = try curl.poll() } catch { return .ended(.curl(error)) }
        guard let outcome else {
            if !isLate, MonotonicTime.now > deadline {
                isLate = true
                try? curl.signal(SIGKILL)
            }
            return .underWay
        }
        if isLate { return .ended(.timedOut) }
        drain()
        switch outcome {
        case .exited(let status): return .ended(CurlRequest.failure(status: status, answer, errors: said))
        case .signalled(let number): return .ended(.killed(signal: number))
        }
    }

    private func drain() {
        // A bounded number of pieces: one that writes without end is ended by its deadline.
        for _ in 0..<16 {
            guard let bytes = try? output.read(atMost: Self.piece), !bytes.isEmpty else { break }
            answer.append(bytes)
        }
        for _ in 0..<16 {
            guard let bytes = try? errors.read(atMost: Self.piece), !bytes.isEmpty else { break }
            said += bytes.prefix(max(0, Self.piece - said.count))
        }
    }
}
