import LinuxKernel

/// Parts of files that a cut transfer left.
extension DestinationLink {
    /// Takes what a receiver that was killed was writing for a part, and completes each part with the end of the file that
    /// it was to replace.
    ///
    /// rsync takes a part for its only basis: what comes after it would be sent, though most of it may stand in the old
    /// file (rsync(1), `--partial-dir`). Nothing is done where no commands run, nor for a target here, which rsync copies
    /// whole anyway.
    ///
    /// - Parameters:
    ///   - directories: relative to the target.
    ///   - room: of the destination; nil: not known.
    /// - Throws: `SyncFailure` when the other side cannot be reached.
    func completeParts(in directories: [[UInt8]], room: FileSystemSpace?) throws(SyncFailure) {
        guard isRemote, hasShell, !directories.isEmpty, let target = targetPath else { return }
        let most = room.map { max(0, $0.available - settings.leastFree(of: $0.total)) } ?? .max
        let command =
            "cd \(target) || exit 3; \(ReceiverGuard.lock(in: ownPlace))exec xargs -0 -n 100 sh -c '\(Self.completion)' "
            + "\(String(decoding: Self.partialName, as: UTF8.self)) \(most)"
        var input: [UInt8] = []
        for directory in directories { input += Array("./".utf8) + directory + [0] }
        let result = try shell(command, input: input)
        if result.wasInterrupted { throw .interrupted }
        let verdict = RsyncVerdict(status: result.status, errors: result.errors)
        // Where one of these programs is missing, more is sent.
        guard [.later, .busy].contains(verdict) else { return }
        try check(
            Outcome(verdict: verdict, status: result.status, errors: result.errors), "completing parts of files")
    }

    /// A temporary file in the directory for these is called `NAME.XXXXXX` (receiver.c, get_tmpname); one that is taken for a part of another file of that name is but a bad basis.
    ///
    /// Arguments: the name of the directories for parts, the bytes that may be written for one, the directories. Where the
    /// file system shares blocks the part is written over a clone; elsewhere the old file's end is appended to it. Either
    /// may be cut at any moment: a part is only ever a basis.
    private static let completion = """
        most=$1; shift; for d; do q="$d/$0"; \
        for t in .nfs-changes/tmp/*.?????? .nfs-changes/tmp/.*.??????; do n=${t##*/}; n=${n%.??????}; \
        if [ -f "$t" ] && [ ! -L "$t" ] && [ -f "$d/$n" ] && [ ! -e "$q/$n" ] && [ -s "$t" ]; \
        then mkdir -p "$q" && mv -f "$t" "$q/$n"; fi; done; \
        [ -d "$q" ] || continue; \
        for p in "$q"/* "$q"/.[!.]* "$q"/..?*; do n=${p##*/}; f="$d/$n"; \
        if [ -f "$p" ] && [ ! -L "$p" ] && [ -f "$f" ] && [ ! -L "$f" ]; then \
        a=$(wc -c <"$p"); b=$(wc -c <"$f"); \
        if [ $a -gt 0 ] && [ $a -lt $b ] && [ $((b - a)) -lt $most ]; then w="$q/.nfs-changes-whole"; \
        if cp --reflink=always "$f" "$w" 2>/dev/null && dd if="$p" of="$w" bs=1048576 conv=notrunc 2>/dev/null; \
        then mv -f "$w" "$p"; else rm -f "$w"; tail -c +$((a + 1)) "$f" >>"$p"; fi; \
        fi; fi; done; done; exit 0
        """
}
