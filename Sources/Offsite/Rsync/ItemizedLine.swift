/// One line of rsync's `format` (rsync(1), `--itemize-changes`): what would happen to a path.
struct ItemizedLine: Equatable {
    /// `//` is in no name that rsync prints, though it may be in a symlink's target: what comes before the first one is the
    /// name, and what comes after it is ` -> ` and the target of a symlink, or ` => ` and the other name of a hard link.
    static let format = "--out-format=%i %n//%L"

    /// How the destination differs.
    enum Kind: Equatable, Sendable {
        /// It is not there.
        case missing
        /// The destination has it and the source has not.
        case extra
        /// Its content, or the target of a symlink.
        case content
        /// Mode, time, owner or group.
        case metadata
        /// It should be another name of a file that is there, and is not.
        case link
    }

    let kind: Kind
    /// The path, relative.
    let name: [UInt8]
    /// The name whose file this one is to share; nil also where it shares it already.
    let linkTarget: [UInt8]?
    /// A regular file gets its content over the connection, or from another file at the destination: it becomes an inode
    /// of its own.
    let isTransfer: Bool
    /// Its time differs.
    let hasTime: Bool
    /// Nothing but its time differs, as far as that was compared.
    let isTimeAlone: Bool

    /// - Returns: nil for lines that tell of no path.
    init?(parsing line: ArraySlice<UInt8>) {
        let deleting = Array("*deleting".utf8)
        if line.starts(with: deleting) {
            let rest = line.dropFirst(deleting.count).drop { $0 == UInt8(ascii: " ") }
            guard let parts = ListedName.split(rest) else { return nil }
            kind = .extra
            name = parts.name
            (linkTarget, isTransfer, hasTime, isTimeAlone) = (nil, false, false, false)
            return
        }
        // YXcstpoguax, eleven characters, of which all but two may be spaces; protocols before 30 had nine.
        let bytes = Array(line)
        guard let width = [11, 9].first(where: { bytes.count > $0 && bytes[$0] == UInt8(ascii: " ") }),
            let parts = ListedName.split(bytes[(width + 1)...])
        else { return nil }
        let item = bytes[..<width]
        guard "<>ch.".utf8.contains(item[0]), "fdLDS".utf8.contains(item[1]) else { return nil }
        name = parts.name
        let isLink = item[0] == UInt8(ascii: "h")
        // One that is linked already and differs otherwise has none (hlink.c, maybe_hard_link).
        let other = isLink ? ListedName.rest(of: parts.more, after: " => ") : nil
        linkTarget = other
        isTransfer = item[1] == UInt8(ascii: "f") && "<>c".utf8.contains(item[0])
        hasTime = item[4] == UInt8(ascii: "t")
        isTimeAlone =
            hasTime && other == nil && item.indices.dropFirst(2).allSatisfy { $0 == 4 || ". ".utf8.contains(item[$0]) }
        if item[2] == UInt8(ascii: "+") {
            kind = .missing
        } else if other != nil {
            kind = .link
        } else if item[0] != UInt8(ascii: ".") && (item[2] == UInt8(ascii: "c") || item[3] == UInt8(ascii: "s")) {
            kind = .content
        } else if item[0] == UInt8(ascii: "<") || item[0] == UInt8(ascii: ">"), item[1] == UInt8(ascii: "f") {
            // It would be sent because of its time: whether its content differs is not known.
            kind = .content
        } else {
            kind = .metadata
        }
    }
}
