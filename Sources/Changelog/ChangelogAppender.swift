import LinuxKernel
import SystemPackage

/// Appends lines to a log file that anybody may truncate, move away or remove at any moment.
///
/// - A *generation* is a file that had the log's name. After each append the name is resolved again; if it no longer
///   names the file that was written to, the append is made again in the file that does (or in a new one), so every
///   line is in some generation while that has the name, in order. Lines may repeat; none is missing.
/// - A write that stopped half-way (full disk) leaves a torn line. The next attempt continues it where it stopped;
///   if the file was changed by others meanwhile, or is another one, the line starts anew on a line of its own.
///   What a killed process left torn (a signal cuts write(2) at a page) is completed to the line that it was to be,
///   found again among the lines that are owed: ended with a newline alone it would stand as the path of something
///   that never was.
/// - The descriptor is open only from an append to the next `synchronize`, which the writer asks for within
///   seconds: an idle tracker never keeps the log's file system from being unmounted or remounted read-only.
///
/// Synchronous, for one thread. Any call may hang as long as the disk does.
public struct ChangelogAppender: ~Copyable {
    /// Where an unfinished batch stands in the file it went into.
    private struct Progress {
        let file: ChangelogFile.Identity
        /// Bytes of the batch that are in the file.
        let written: Int
        /// The size of the file after the last of them.
        let end: Int64
    }

    /// How often one append follows a file that moves away under it before it gives up for now.
    private static let mostGenerations = 16
    private static let newline = UInt8(ascii: "\n")

    public let path: [UInt8]
    public let requireMount: [UInt8]?
    private var file: ChangelogFile? = nil
    private var progress: Progress? = nil

    /// Nothing is opened before the first append.
    ///
    /// - Parameters:
    ///   - path: the log, absolute. Its directory must exist; it is never created.
    ///   - requireMount: a directory that must be a mount point at each opening; otherwise nothing is written.
    public init(path: [UInt8], requireMount: [UInt8]?) {
        self.path = path
        self.requireMount = requireMount
    }

    /// Appends `batch`, whole lines.
    ///
    /// `restOfLine` is asked when the file ends in the middle of a line of unknown origin: it gets what stands there
    /// and returns what completes the line, without the newline; nil when there is no such line.
    ///
    /// After a failure call it again with the *same* batch until it returns, or `discard` the batch first: what was
    /// written of it is remembered.
    ///
    /// - Throws: `synchronize` when lines of earlier appends may be lost with a generation that was moved away:
    ///   everything since the last successful `synchronize` must then be appended again. What `restOfLine` throws.
    ///   `append` otherwise.
    public mutating func append(
        _ batch: UnsafeRawBufferPointer,
        completingWith restOfLine: (_ torn: [UInt8]) throws(ChangelogFailure) -> [UInt8]?
    ) throws(ChangelogFailure) {
        for _ in 0..<Self.mostGenerations {
            if file == nil { file = try ChangelogFile.open(path: path, requireMount: requireMount) }
            // Taken out, so that it can be lent while the progress changes; put back whatever happens.
            let current = file.take()!
            var failure: ChangelogFailure? = nil
            var isStill = true
            do throws(ChangelogFailure) {
                try writeRest(of: batch, to: current, completingWith: restOfLine)
                isStill = try reporting { () throws(Errno) in try current.isStill(at: path) }
            } catch {
                failure = error
            }
            file = consume current
            if let failure { throw failure }
            progress = nil
            if isStill { return }
            try synchronize()
        }
        throw ChangelogFailure(.append, .keepsMoving, path: path)
    }

    /// Whether the log can be opened for appending; it is made if there is none.
    ///
    /// - Throws: `append`, why not.
    public mutating func probe() throws(ChangelogFailure) {
        if file == nil { _ = try ChangelogFile.open(path: path, requireMount: requireMount) }
    }

    /// Makes all appends durable (fdatasync(2)) and closes the file.
    ///
    /// - Throws: `synchronize`; everything since the last success must then be appended again. (The file is closed
    ///   also then: asked once more, the kernel would answer that all is well.)
    public mutating func synchronize() throws(ChangelogFailure) {
        guard let closing = file.take() else { return }
        do throws(Errno) {
            try closing.descriptor.synchronizeData()
        } catch {
            throw ChangelogFailure(.synchronize, error, path: path)
        }
    }

    /// Forgets the batch that could not be appended; the next may be another one.
    public mutating func discard() { progress = nil }

    private mutating func writeRest(
        of batch: UnsafeRawBufferPointer, to file: borrowing ChangelogFile,
        completingWith restOfLine: ([UInt8]) throws(ChangelogFailure) -> [UInt8]?
    ) throws(ChangelogFailure) {
        var size = try reporting { () throws(Errno) in try file.size() }
        var written = 0
        var continues = false
        if let progress, progress.file == file.identity {
            continues = progress.end == size
            written = continues ? progress.written : Self.startOfLine(at: progress.written, in: batch)
        }
        if written == batch.count { return }
        if !continues {
            // Always asked, not only after opening: others may have cut the file in the middle of a line.
            let torn = try reporting { () throws(Errno) in try file.tornLine(before: size) }
            if !torn.isEmpty {
                let ending = (try restOfLine(torn) ?? []) + [Self.newline]
                let outcome = ending.withUnsafeBytes { file.descriptor.write($0) }
                if let error = outcome.error { throw ChangelogFailure(.append, error, path: path) }
                size += Int64(ending.count)
            }
        }
        let outcome = file.descriptor.write(UnsafeRawBufferPointer(rebasing: batch[written...]))
        progress = Progress(
            file: file.identity, written: written + outcome.written, end: size + Int64(outcome.written))
        if let error = outcome.error { throw ChangelogFailure(.append, error, path: path) }
    }

    /// What an errno of `body` means for the log.
    private func reporting<Value>(_ body: () throws(Errno) -> Value) throws(ChangelogFailure) -> Value {
        do throws(Errno) {
            return try body()
        } catch {
            throw ChangelogFailure(.append, error, path: path)
        }
    }

    /// Where the line begins that the byte at `offset` belongs to.
    private static func startOfLine(at offset: Int, in batch: UnsafeRawBufferPointer) -> Int {
        (batch[..<offset].lastIndex(of: newline) ?? -1) + 1
    }
}
