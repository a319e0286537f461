import LinuxKernel
import SystemPackage

/// Brings a part of a copy back.
public final class CopyRestore {
    private let link: DestinationLink

    /// - Throws: `SyncFailure`.
    public init(
        _ settings: DestinationSettings, stateDirectory: [UInt8], stop: any StopSignal
    ) throws(SyncFailure) {
        link = try DestinationLink(settings, stateDirectory: stateDirectory, process: ProgramRun(stop: stop))
    }

    /// Copies what the destination has under a path, with everything in it, into a directory of this host, which is
    /// made where it is missing. The last component of the path stands in that directory then.
    ///
    /// - Parameters:
    ///   - path: relative to the source.
    ///   - directory: absolute.
    ///   - overwrites: whether the directory may have something in it already. What is there and not in the copy
    ///     stays there in any case.
    ///   - progress: gets what rsync says of its progress; nil: it is not asked to.
    /// - Returns: what was transferred.
    /// - Throws: `SyncFailure`.
    public func restore(
        _ path: [UInt8], to directory: [UInt8], overwrites: Bool, progress: ((ArraySlice<UInt8>) -> Void)? = nil
    ) throws(SyncFailure) -> RsyncStatistics {
        do throws(Errno) { try FileSystemLook.makeDirectory(directory, mode: 0o700) } catch {
            throw .system("making \(OctalEscapes.display(directory))", error)
        }
        if !overwrites, !FileSystemLook.names(in: directory).isEmpty { throw .inTheWay(directory) }
        guard try link.readMarker() != nil else { throw .noMarker(target: link.targetText) }
        let outcome = try link.fetch(path, to: directory, progress)
        try link.check(outcome, "restoring")
        return outcome.statistics
    }
}

extension DestinationLink {
    fileprivate func fetch(
        _ path: [UInt8], to directory: [UInt8], _ progress: ((ArraySlice<UInt8>) -> Void)?
    ) throws(SyncFailure) -> Outcome {
        var options = ["-aH", "--recursive", "--no-relative"]
        options.append("--partial-dir=" + String(decoding: Self.partialName, as: UTF8.self))
        switch settings.ownership {
        case .drop: options += ["--no-owner", "--no-group", "--no-devices"]
        case .keep: options.append("--numeric-ids")
        case .fakeSuper: options += ["--numeric-ids"] + readingAttributes
        }
        if progress != nil { options += ["--info=progress2", "--outbuf=L"] }
        let place = directory + [UInt8(ascii: "/")]
        if case .local = settings.target {
            // A list and `-M` do not go together in a local run of rsync 3.5.0; here no path is anything but a path.
            return try run(
                options, list: nil, [Array("\(targetText)/".utf8) + path, place], source: nil, isGuarded: false,
                take: progress)
        }
        // As a list it goes past the other side's shell, its wildcards and rrsync.
        let (top, prefix) = settings.target.top
        return try run(
            options, list: [Array(prefix.utf8) + path], [Array("\(top)/".utf8), place], source: nil,
            isGuarded: false, take: progress)
    }
}
