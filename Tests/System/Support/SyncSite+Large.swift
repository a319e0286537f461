import Glibc
import LinuxKernel
import Testing

/// Transfers that take long enough to be cut off in mid-file.
extension SyncSite {
    /// A copy that is up to date, and a connection so slow that a large file can be cut off.
    ///
    /// - Parameter prepare: what is done before the tracker starts.
    static func slow(_ server: SSHServer, _ prepare: (SyncSite) throws -> Void = { _ in }) throws -> SyncSite {
        let site = try SyncSite(over: server, more: slowly)
        try prepare(site)
        return try carried(site)
    }

    static func slow(_ daemon: RsyncDaemon) throws -> SyncSite {
        try carried(SyncSite(over: daemon, more: slowly))
    }

    private static let slowly = "bandwidth = \"8MB/s\""

    private static func carried(_ site: SyncSite) throws -> SyncSite {
        try Disk.write(site.site.root / "small")
        try site.start()
        try site.syncFully()
        return site
    }

    /// Waits until the receiver has a part of a large file, under whatever name.
    func waitForHalf(sourceLocation: SourceLocation = #_sourceLocation) throws {
        let isThere = wait(atMost: 20, every: 5) { ((try? received()) ?? 0) > Disk.large / 3 }
        try #require(isThere, "\(errors)", sourceLocation: sourceLocation)
    }

    private func received() throws -> Int {
        try Listing([copy]).entries.filter { path, entry in
            path.name.string.contains("large") && entry.mode & S_IFMT == S_IFREG
        }.map { try Int(Disk.status($0.key).st_size) }.max() ?? 0
    }

    /// Nothing of a transfer that was cut off is left at the copy.
    func expectNoLeftovers(sourceLocation: SourceLocation = #_sourceLocation) throws {
        let left = try Listing([copy]).entries.keys.filter {
            $0.name == ".nfs-changes-partial" || $0.parent.name == "tmp" || $0.name.string.hasPrefix(".large.")
        }
        #expect(left.isEmpty, "\(left)", sourceLocation: sourceLocation)
    }
}

extension Disk {
    /// Bytes of a large file.
    static let large = 8 << 20

    /// Something that no compression makes smaller.
    static func writeLarge(_ path: Path, seed: UInt64 = 1) throws {
        var random = SplitMix64(seed: seed)
        var bytes: [UInt8] = []
        bytes.reserveCapacity(large)
        while bytes.count < large { withUnsafeBytes(of: random.next()) { bytes += $0 } }
        try write(path, bytes)
    }
}
