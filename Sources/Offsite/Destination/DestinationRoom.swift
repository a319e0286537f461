import LinuxKernel
import SystemPackage

/// How much room a destination has.
extension DestinationLink {
    /// - Returns: nil where this host cannot see it: `greet` asks the shell of another.
    var roomHere: FileSystemSpace? {
        guard case .local(let path) = settings.target else { return nil }
        return try? FileSystemSpace(at: Array(path.utf8))
    }

    /// Reads what `df -Pk` prints (POSIX): a heading, and a line whose second and fourth words are kilobytes. The first
    /// may have spaces in it, so the words are counted from the `%` on.
    static func space(parsing output: [UInt8]) -> FileSystemSpace? {
        let lines = String(decoding: output.prefix(4_096), as: UTF8.self).split(separator: "\n")
        guard lines.count >= 2 else { return nil }
        let words = lines[1].split(separator: " ")
        guard let percent = words.lastIndex(where: { $0.hasSuffix("%") }), percent >= 4,
            let total = Int64(words[percent - 3]), let available = Int64(words[percent - 1]), total >= 0, available >= 0
        else { return nil }
        return FileSystemSpace(
            available: available.multipliedReportingOverflow(by: 1_024).partialValue,
            total: total.multipliedReportingOverflow(by: 1_024).partialValue)
    }

    /// - Throws: `destinationFull` where less than `min_free` is left.
    func checkRoom(_ space: FileSystemSpace?) throws(SyncFailure) {
        guard let space, settings.isTooLittle(space) else { return }
        throw .destinationFull(target: targetText, available: space.available)
    }
}
