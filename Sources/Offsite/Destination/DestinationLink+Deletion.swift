import LinuxKernel
import SystemPackage

/// Deleting by list.
extension DestinationLink {
    /// Deletes paths with everything in them. The source of this run is empty but for their parents: whatever happens to
    /// the real one meanwhile, no more than what is listed can go.
    func delete(
        _ paths: [[UInt8]], atMost limit: Int64, takeErrors: ((ArraySlice<UInt8>) -> Void)? = nil
    ) throws(SyncFailure) -> Outcome {
        let skeleton = scratch + Array("/skeleton".utf8)
        let parents = Set(paths.flatMap { BatchPlan.parents(of: $0) }).sorted(by: BatchPlan.precedes)
        do throws(Errno) {
            try FileSystemLook.removeTree(skeleton)
            try FileSystemLook.makeDirectory(skeleton)
            for parent in parents { try FileSystemLook.makeDirectory(skeleton + [UInt8(ascii: "/")] + parent) }
        } catch {
            throw .system("making \(OctalEscapes.display(skeleton))", error)
        }
        defer { try? FileSystemLook.removeTree(skeleton) }
        // Not -a: the skeleton's times and modes are nobody's. --existing: a directory that went meanwhile, of which only
        // the skeleton knows, is not made again.
        let options = ["--dirs", "--links", "--force", "--existing", "--max-delete=\(limit)"]
        if deletesByList {
            let outcome = try run(
                options + ["--delete-missing-args"], list: paths, from: skeleton, to: targetText, isGuarded: true,
                takeErrors: takeErrors)
            if outcome.verdict != .refusesMissingArguments { return outcome }
            deletesByList = false
        }
        return try deleteByFilter(paths, options, skeleton, takeErrors)
    }

    /// For receivers that refuse `--delete-missing-args`: their directories are listed with `--delete`, and a filter
    /// puts all but what is to go out of its reach.
    private func deleteByFilter(
        _ paths: [[UInt8]], _ options: [String], _ skeleton: [UInt8], _ takeErrors: ((ArraySlice<UInt8>) -> Void)?
    ) throws(SyncFailure) -> Outcome {
        var rules: [UInt8] = []
        for path in paths {
            let pattern = [UInt8(ascii: "/")] + Self.literalPattern(path)
            rules += Array("R ".utf8) + pattern + [0] + Array("R ".utf8) + pattern + Array("/**".utf8) + [0]
        }
        rules += Array("P *".utf8) + [0]
        let file = scratch + Array("/rules".utf8)
        do throws(Errno) { try replaceFile(file, with: rules) } catch {
            throw .system("writing \(OctalEscapes.display(file))", error)
        }
        let directories = Set(paths.map(BatchPlan.parent(of:))).sorted(by: BatchPlan.precedes)
        // --from0 comes before the filter file, which is read as lines otherwise.
        return try run(
            options + ["--delete", "--from0", "--filter=merge \(String(decoding: file, as: UTF8.self))"],
            list: directories.map { $0 + [UInt8(ascii: "/")] }, from: skeleton, to: targetText, isGuarded: true,
            files: [file], takeErrors: takeErrors)
    }

    /// A pattern that matches this path alone (rsync(1), PATTERN MATCHING RULES): a backslash escapes only where there is
    /// a wildcard.
    static func literalPattern(_ path: [UInt8]) -> [UInt8] {
        // `/**` is added to it, so that there always is one in the second rule; the first has to be alike.
        let wildcards = Array("*?[".utf8)
        guard path.contains(where: { wildcards.contains($0) || $0 == UInt8(ascii: "\\") }) else { return path }
        return path.flatMap { byte in
            wildcards.contains(byte) || byte == UInt8(ascii: "\\") ? [UInt8(ascii: "\\"), byte] : [byte]
        }
    }
}
