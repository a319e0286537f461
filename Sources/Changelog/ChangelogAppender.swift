import LinuxKernel
import SystemPackage

/// Appends lines to a log file that anybody may truncate, move away or remove at any moment.
///
/// - A *generation* is a file that had the log's name. After each append the name is resolved again; if it no longer
///   names the file that was written to, the append is made again in the file that does (or in a new one), so every
///   line is in some generation while that has the name, in order. Lines may repeat; none is missing.
/// - A write that stopped half-way (full disk) leaves a torn line. The next attempt continues it where it stopped;
///   if the file was changed by others meanwhile, or is another one, the line starts anew on a line of its own.
///   What a killed process left torn is ended with a newline, for the process that follows cannot know the rest.
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
    /// After a failure call it again with the *same* batch until it returns, or `discard` the batch first: what was
    /// written of it is remembered.
    ///
    /// - Throws: `synchronize` when lines of earlier appends may be lost with a generation that was moved away:
    ///   everything since the last successful `synchronize` must then be appended again. `append` otherwise.
    public mutating func append(_ batch: UnsafeRawBufferPointer) throws(ChangelogFailure) {
        for _ in 0..<Self.mostGenerations {
            if file == nil { file = try ChangelogFile.open(path: path, requireMount: requireMount) }
            // Taken out, so that it can be lent while the progress changes; put back whatever happens.
            let current = file.take()!
            var failure: Errno? = nil
            var isStill = true
            do throws(Errno) {
                try writeRest(of: batch, to: current)
                isStill = try current.isStill(at: path)
            } catch {
                failure = error
            }
            file = consume current
            if let failure { throw ChangelogFailure(.append, failure, path: path) }
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

    private mutating func writeRest(of batch: UnsafeRawBufferPointer, to file: borrowing ChangelogFile) throws(Errno) {
        var size = try file.size()
        var written = 0
        var continues = false
        if let progress, progress.file == file.identity {
            continues = progress.end == size
            written = continues ? progress.written : Self.startOfLine(at: progress.written, in: batch)
        }
        if written == batch.count { return }
        // Always asked, not only after opening: others may have cut the file in the middle of a line.
        if !continues { size = try file.endLine(before: size) }
        let outcome = file.descriptor.write(UnsafeRawBufferPointer(rebasing: batch[written...]))
        progress = Progress(
            file: file.identity, written: written + outcome.written, end: size + Int64(outcome.written))
        if let error = outcome.error { throw error }
    }

    /// Where the line begins that the byte at `offset` belongs to.
    private static func startOfLine(at offset: Int, in batch: UnsafeRawBufferPointer) -> Int {
        (batch[..<offset].lastIndex(of: newline) ?? -1) + 1
    }
}
