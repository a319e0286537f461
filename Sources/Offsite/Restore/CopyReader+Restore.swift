import LinuxKernel

/// What is to be brought back.
public struct RestoreRequest: Sendable {
    /// Relative to the copy; empty: all of it.
    public var path: [UInt8]
    /// The directory to put it into, absolute; made where it is missing.
    public var directory: [UInt8]
    /// The directory may have something in it already. What is there and not in the copy stays in any case.
    public var overwrites = false

    public init(path: [UInt8], directory: [UInt8]) {
        self.path = path
        self.directory = directory
    }
}

extension CopyReader {
    /// Copies a path, with everything in it, into a directory of this host: there it has its last component as its name.
    /// All of a copy is put into the directory itself.
    ///
    /// - Parameters:
    ///   - begins: is told whether this goes on with a restore that was cut off.
    ///   - progress: gets what rsync says of its progress; nil: it is not asked to.
    /// - Returns: what was transferred.
    /// - Throws: `SyncFailure`: `notInCopy` when it is not there; then nothing is made.
    public func restore(
        _ request: RestoreRequest, begins: (Bool) -> Void, progress: ((ArraySlice<UInt8>) -> Void)? = nil
    ) throws(SyncFailure) -> RsyncStatistics {
        let paths = try self.paths(of: request)
        let note = Array("nfs-changes restore 1\n\(text)\n".utf8) + OctalEscapes.escape(request.path)
        let directory = try RestoreDirectory(request.directory, note: note, overwrites: request.overwrites)
        begins(directory.isContinued)
        do throws(SyncFailure) {
            let outcome = try fetch(paths, to: directory, progress)
            try check(outcome, request.path, "restoring from \(text)")
            directory.finish()
            return outcome.statistics
        } catch {
            directory.abandon()
            throw error
        }
    }

    /// The paths that are brought back; it is looked whether they are there before anything is made for them. The copy's
    /// top is no part of them: its owner and mode are the NAS's.
    private func paths(of request: RestoreRequest) throws(SyncFailure) -> [[UInt8]] {
        guard request.path.isEmpty else {
            try refuseReserved(request.path)
            return [try entry(request.path).path]
        }
        var paths: [[UInt8]] = []
        try list([], isRecursive: false) { paths.append($0.path) }
        guard !paths.isEmpty else { throw notThere([]) }
        return paths
    }

    private func fetch(
        _ paths: [[UInt8]], to directory: RestoreDirectory, _ progress: ((ArraySlice<UInt8>) -> Void)?
    ) throws(SyncFailure) -> DestinationLink.Outcome {
        var options =
            ["-aH", "--recursive", "--no-relative"] + link.transferOptions.restored + DestinationLink.exclusions
        options.append("--partial-dir=" + String(decoding: DestinationLink.partialName, as: UTF8.self))
        if directory.isOneFileSystem { options.append("--temp-dir=.nfs-changes-restore/tmp") }
        switch link.settings.ownership {
        // What ran as somebody else would run as whoever restores, which is root.
        case .drop: options += ["--no-owner", "--no-group", "--no-devices", "--chmod=Fu-s,Fg-s"]
        case .keep: options.append("--numeric-ids")
        case .fakeSuper: options += ["--numeric-ids"] + link.readingAttributes
        }
        if progress != nil { options += ["--info=progress2", "--outbuf=L"] }
        let receiving = Receiving(place: directory.path, origin: place.local, keepsOwners: true)
        let destination = directory.path + [UInt8(ascii: "/")]
        if place.local != nil {
            // A list and `-M` do not go together in a local run of rsync 3.5.0; here no path is anything but a path.
            return try link.run(
                options, list: nil, paths.map(place.argument) + [destination], source: nil, receiving: receiving,
                isGuarded: false, take: progress)
        }
        // As a list it goes past the other side's shell, its wildcards and rrsync.
        return try link.run(
            options, list: paths.map { place.entry($0) }, [place.side, destination], source: nil, receiving: receiving,
            isGuarded: false, take: progress)
    }
}
