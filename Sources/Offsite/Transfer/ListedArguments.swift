import LinuxKernel

/// A list of names as arguments of rsync.
///
/// rsync reads a list byte by byte, with two system calls for each (io.c, `read_line`): a sender of small files spends
/// most of its time on that. As arguments the same names mean the same, with the options that a list implies (rsync(1),
/// `--files-from`).
enum ListedArguments {
    /// Names that are worth it: with fewer the difference cannot be felt.
    static let fewest = 200

    private static let listOptions = ["--from0", "--files-from=-"].map { Array($0.utf8) }
    private static let implied = ["--relative", "--no-recursive", "--dirs"].map { Array($0.utf8) }

    /// Returns the command with the names in the place of its list and of its source, which has to be the working
    /// directory then; nil where it has no list or the names are too many.
    ///
    /// - Parameters:
    ///   - command: rsync with options, `--`, the source and the destination.
    ///   - list: what stands on its standard input: names that begin with `./`, each with a NUL after it.
    ///   - limit: bytes that arguments and environment may take together.
    static func command(_ command: [[UInt8]], list: [UInt8], limit: Int) -> [[UInt8]]? {
        guard let end = command.lastIndex(of: Array("--".utf8)), command.count == end + 3,
            listOptions.allSatisfy(command[..<end].contains)
        else { return nil }
        let names = list.split(separator: 0).map { Array($0) }
        let arguments =
            command[..<end].filter { !listOptions.contains($0) } + implied + [command[end]] + names + [command[end + 2]]
        // Each takes a NUL and a pointer as well (execve(2), "Limits on size of arguments and environment").
        let size = arguments.reduce(0) { $0 + $1.count + 1 + MemoryLayout<UInt>.size }
        return size <= limit ? arguments : nil
    }
}
