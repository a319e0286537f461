public import LinuxKernel

/// One row of the history as SQLite holds it: its bytes live only during the call that it is handed to.
public struct HistoryRow {
    public let sequence: Int64
    public let at: Timestamp
    public let kind: ChangeKind
    /// The content may have changed whatever the kind says: no event told what happened.
    public let isContentUncertain: Bool
    public let type: FileType
    /// Bytes; of a deleted path, its last known size.
    public let size: Int64
    public let directory: HistoryDirectory
    /// The last component.
    public let name: UnsafeRawBufferPointer
    /// Where it was before, for `moved`.
    public let from: (directory: HistoryDirectory, name: UnsafeRawBufferPointer)?

    /// What stands for the path where many are to be told apart.
    public var digest: PathDigest { directory.digest(of: name) }

    /// The same for `from`.
    public var fromDigest: PathDigest? { from.map { $0.directory.digest(of: $0.name) } }

    /// Appends the absolute path.
    public func appendPath(to output: inout [UInt8]) { directory.append(name, to: &output) }

    /// A copy that outlives the call.
    public var record: ChangeRecord {
        ChangeRecord(
            sequence: sequence, at: at, kind: kind, path: directory.path(of: name), type: type, size: size,
            from: from.map { $0.directory.path(of: $0.name) })
    }
}

/// The path of a directory that history rows stand in.
public final class HistoryDirectory {
    /// Absolute.
    public let path: [UInt8]
    private lazy var seeds: (UInt64, UInt64) = path.withUnsafeBytes { bytes in
        (PathDigest.hash(bytes, seed: 0x6469_7265_6374_6F72), PathDigest.hash(bytes, seed: 0x7920_7061_7468_2E2E))
    }

    init(path: [UInt8]) { self.path = path }

    /// Appends the path of an entry.
    func append(_ name: UnsafeRawBufferPointer, to output: inout [UInt8]) {
        output.append(contentsOf: path)
        if path.last != UInt8(ascii: "/") { output.append(UInt8(ascii: "/")) }
        output.append(contentsOf: name)
    }

    fileprivate func path(of name: UnsafeRawBufferPointer) -> [UInt8] {
        var path: [UInt8] = []
        path.reserveCapacity(self.path.count + 1 + name.count)
        append(name, to: &path)
        return path
    }

    fileprivate func digest(of name: UnsafeRawBufferPointer) -> PathDigest {
        PathDigest(high: PathDigest.hash(name, seed: seeds.0), low: PathDigest.hash(name, seed: seeds.1))
    }
}

/// 128 bits that stand for a path within this process: two runs of the standard library's SipHash-1-3, whose key is
/// random in each process, so that nobody can choose names that collide. Among 10 million paths two have the same
/// digest with a probability of 1.5 · 10⁻²⁵.
public struct PathDigest: Hashable, Sendable {
    public let high: UInt64
    public let low: UInt64

    public init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// Of an absolute path: what the rows of this path have.
    public init(of path: [UInt8]) {
        let slash = path.lastIndex(of: UInt8(ascii: "/")) ?? path.startIndex
        let directory = HistoryDirectory(path: slash == 0 ? [UInt8(ascii: "/")] : Array(path[..<slash]))
        self = path.withUnsafeBytes { directory.digest(of: UnsafeRawBufferPointer(rebasing: $0[(slash + 1)...])) }
    }

    fileprivate static func hash(_ bytes: UnsafeRawBufferPointer, seed: UInt64) -> UInt64 {
        var hasher = Hasher()
        hasher.combine(seed)
        hasher.combine(bytes: bytes)
        return UInt64(bitPattern: Int64(hasher.finalize()))
    }
}
