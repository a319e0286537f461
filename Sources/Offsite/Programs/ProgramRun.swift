import Glibc
import LinuxKernel
import SystemPackage

/// Runs a program to its end: the last of what it writes is kept, what it reads is given as a whole.
struct ProgramRun {
    /// Bytes that are kept of each stream.
    private static let mostKept = 64 * 1_024
    /// Pieces of this size that are read before anything else is looked at: one that writes without end holds nothing
    /// up. A pipe holds one of them (pipe(7)).
    private static let piece = 65_536
    private static let mostPieces = 16
    /// Seconds that a program has to end after SIGTERM, before SIGKILL: a stop is to take five.
    private static let patience: Int64 = 4
    /// Milliseconds that its own children have to end after it when it was interrupted: the receiver of a local target
    /// puts its partial file away then.
    private static let farewell: Int64 = 1_000

    struct Result {
        /// The exit status; 128 and the number of the signal that ended it.
        var status: Int32
        var output: [UInt8]
        var errors: [UInt8]
        var wasInterrupted: Bool
    }

    let stop: any StopSignal
    /// Called about once a second while a program runs.
    var heartbeat: () -> Void = {}
    /// Milliseconds between two looks whether all is well, at most.
    var interval: Int32 = 1_000

    private static let outputTag: UInt64 = 0
    private static let errorTag: UInt64 = 1
    private static let endTag: UInt64 = 2
    private static let stopTag: UInt64 = 3

    /// - Parameters:
    ///   - input: what it finds on its standard input; nil: nothing.
    ///   - take: gets all of its output as it comes.
    ///   - takeErrors: gets all of its standard error as it comes.
    ///   - lock: a descriptor that it and its children keep open.
    /// - Throws: the errno that kept it from starting: `ENOENT` when there is no such program.
    func run(
        _ arguments: [[UInt8]], input: [UInt8]? = nil, take: ((ArraySlice<UInt8>) -> Void)? = nil,
        takeErrors: ((ArraySlice<UInt8>) -> Void)? = nil, lock: CInt? = nil
    ) throws(Errno) -> Result {
        try run(input: input, take: take, takeErrors: takeErrors) { (streams) throws(Errno) in
            let child = try ChildProcess.spawn(
                arguments, environment: Self.environment, input: streams.input, output: streams.output,
                error: streams.error, inheriting: lock.map { [$0] } ?? [])
            return SenderSandbox.Running(rsync: child, shell: nil)
        }
    }

    /// The same in a sandbox.
    func run(
        _ sandbox: consuming SenderSandbox, input: [UInt8]? = nil, take: ((ArraySlice<UInt8>) -> Void)? = nil,
        takeErrors: ((ArraySlice<UInt8>) -> Void)? = nil
    ) throws(Errno) -> Result {
        var sandbox: SenderSandbox? = consume sandbox
        return try run(input: input, take: take, takeErrors: takeErrors) { (streams) throws(Errno) in
            try sandbox.take()!.spawn(
                environment: Self.environment, input: streams.input, output: streams.output, error: streams.error)
        }
    }

    private struct Streams {
        let input: ChildProcess.Stream
        let output: ChildProcess.Stream
        let error: ChildProcess.Stream
    }

    private func run(
        input: [UInt8]?, take: ((ArraySlice<UInt8>) -> Void)?, takeErrors: ((ArraySlice<UInt8>) -> Void)?,
        start: (Streams) throws(Errno) -> SenderSandbox.Running
    ) throws(Errno) -> Result {
        let list = try input.map { (bytes) throws(Errno) in ListFile(try OwnedDescriptor.memoryFile(bytes)) }
        let output = try Pipe()
        let errors = try Pipe()
        let outputReader = output.reader
        let outputWriter = output.writer
        let errorReader = errors.reader
        let errorWriter = errors.writer
        let poll = try EventPoll()
        var running = try start(
            Streams(
                input: list.map { .descriptor($0.descriptor.number) } ?? .nothing,
                output: .descriptor(outputWriter.number), error: .descriptor(errorWriter.number)))
        outputWriter.close()
        errorWriter.close()
        try outputReader.setNonBlocking()
        try errorReader.setNonBlocking()
        let ended = try running.rsync.descriptor()
        try poll.add(outputReader.number, for: .readable, tag: Self.outputTag)
        try poll.add(errorReader.number, for: .readable, tag: Self.errorTag)
        try poll.add(ended.number, for: .readable, tag: Self.endTag)
        if stop.descriptor >= 0 { try poll.add(stop.descriptor, for: .readable, tag: Self.stopTag) }

        var result = Result(status: 0, output: [], errors: [], wasInterrupted: false)
        var killAt: MonotonicTime?
        while true {
            let ready = try poll.wait(milliseconds: interval)
            heartbeat()
            if ready.contains(where: { $0.tag == Self.outputTag }),
                try !Self.drain(outputReader, isOutput: true, &result, take)
            {
                try poll.remove(outputReader.number)
            }
            if ready.contains(where: { $0.tag == Self.errorTag }),
                try !Self.drain(errorReader, isOutput: false, &result, takeErrors)
            {
                try poll.remove(errorReader.number)
            }
            if stop.isRequested(), !result.wasInterrupted {
                result.wasInterrupted = true
                try? running.rsync.signal(SIGTERM)
                killAt = MonotonicTime.now.advanced(milliseconds: Self.patience * 1_000)
            }
            if let deadline = killAt, MonotonicTime.now > deadline {
                killAt = nil
                try? running.rsync.signal(SIGKILL)
            }
            guard let outcome = try running.rsync.poll() else { continue }
            // What it wrote last. A child of its own may have the pipes still: their end is waited for only then.
            _ = try Self.drain(outputReader, isOutput: true, &result, take)
            let last = MonotonicTime.now.advanced(milliseconds: result.wasInterrupted ? Self.farewell : 0)
            try poll.remove(ended.number)
            while try Self.drain(errorReader, isOutput: false, &result, takeErrors), MonotonicTime.now < last {
                _ = try poll.wait(milliseconds: 50)
            }
            switch outcome {
            case .exited(let status): result.status = status
            case .signalled(let number): result.status = 128 + number
            }
            return result
        }
    }

    /// A class, so that it can be optional.
    private final class ListFile {
        let descriptor: OwnedDescriptor
        init(_ descriptor: consuming OwnedDescriptor) { self.descriptor = descriptor }
    }

    /// Messages in English, which they are told apart by, times in UTC, and no options from the environment (rsync(1)).
    private static let environment: [(name: [UInt8], value: [UInt8])] = [
        (Array("LC_ALL".utf8), Array("C".utf8)), (Array("TZ".utf8), Array("UTC0".utf8)),
        (Array("RSYNC_OLD_ARGS".utf8), Array("0".utf8)),
        (Array("RSYNC_PROTECT_ARGS".utf8), Array("0".utf8)), (Array("RSYNC_ICONV".utf8), []),
        (Array("POPT_CONFIG".utf8), []),
    ]

    /// Reads what there is.
    ///
    /// - Returns: false at the end.
    private static func drain(
        _ reader: borrowing OwnedDescriptor, isOutput: Bool, _ result: inout Result,
        _ take: ((ArraySlice<UInt8>) -> Void)?
    ) throws(Errno) -> Bool {
        for _ in 0..<mostPieces {
            let bytes: [UInt8]
            do throws(Errno) { bytes = try reader.read(atMost: piece) } catch {
                if error == .wouldBlock { return true }
                throw error
            }
            if bytes.isEmpty { return false }
            take?(bytes[...])
            if isOutput { keep(bytes, in: &result.output) } else { keep(bytes, in: &result.errors) }
        }
        return true
    }

    private static func keep(_ bytes: [UInt8], in kept: inout [UInt8]) {
        kept += bytes
        if kept.count > 2 * mostKept { kept.removeFirst(kept.count - mostKept) }
    }
}
