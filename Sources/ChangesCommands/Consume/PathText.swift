import LinuxKernel

/// How a path is handed to a command.
struct PathText {
    /// Raw bytes with a NUL after them; else the changelog's escapes with a newline.
    var isRaw = false
    /// Paths are written relative to it, with `./` before them; nil for absolute ones.
    var base: PathScope?

    /// Appends a path; one that is not below `base` cannot be written so and is left out.
    ///
    /// - Returns: whether it was written.
    func append(_ path: [UInt8], to output: inout [UInt8]) -> Bool {
        var bytes = path[...]
        if let base {
            guard base.contains(path) else { return false }
            bytes = Array("./".utf8) + path.dropFirst(base.path.count).drop { $0 == UInt8(ascii: "/") }
        }
        if isRaw {
            output.append(contentsOf: bytes)
            output.append(0)
        } else {
            bytes.withUnsafeBytes { OctalEscapes.escape($0, into: &output) }
            output.append(UInt8(ascii: "\n"))
        }
        return true
    }
}
