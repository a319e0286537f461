import LinuxKernel
import SystemPackage

/// What commands do with paths that people typed.
enum PathBytes {
    private static let slash = UInt8(ascii: "/")

    /// `/a/b//` as `/a/b`; `//` as `/`.
    static func withoutTrailingSlashes(_ path: [UInt8]) -> [UInt8] {
        let last = path.lastIndex { $0 != slash }
        return last.map { Array(path[...$0]) } ?? Array(path.prefix(1))
    }

    /// `path` from the root: as it is, or below the working directory; a leading `./` goes, `..` stays.
    ///
    /// - Throws: the errno of getcwd(3).
    static func absolute(_ path: [UInt8]) throws(Errno) -> [UInt8] {
        if path.first == slash { return path }
        var rest = path[...]
        while rest.starts(with: Array("./".utf8)) { rest = rest.dropFirst(2).drop { $0 == slash } }
        let directory = withoutTrailingSlashes(try ProcessContext.workingDirectory())
        if rest.isEmpty || rest.elementsEqual(Array(".".utf8)) { return directory }
        return (directory == [slash] ? [] : directory) + [slash] + rest
    }
}
