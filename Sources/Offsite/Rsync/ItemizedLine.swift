/// One line of `--out-format="%i %n%L"` (rsync(1), `--itemize-changes`): what would happen to a path.
struct ItemizedLine: Equatable {
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
    /// With what follows it in the line: ` -> ` and the target of a symlink, ` => ` and the other name of a hard link.
    private let text: [UInt8]
    let isLink: Bool
    /// A regular file gets its content over the connection, or from another file at the destination: it becomes an inode
    /// of its own.
    let isTransfer: Bool
    private let isSymlink: Bool
    /// Its time differs.
    let hasTime: Bool
    /// Nothing but its time differs, as far as that was compared.
    let isTimeAlone: Bool

    /// - Returns: nil for lines that tell of no path.
    init?(parsing line: ArraySlice<UInt8>) {
        let deleting = Array("*deleting".utf8)
        if line.starts(with: deleting) {
            kind = .extra
            text = ListedName.unescape(line.dropFirst(deleting.count).drop { $0 == UInt8(ascii: " ") })
            (isLink, isTransfer, isSymlink, hasTime, isTimeAlone) = (false, false, false, false, false)
            return
        }
        // YXcstpoguax, eleven characters, of which all but two may be spaces; protocols before 30 had nine.
        let bytes = Array(line)
        guard let width = [11, 9].first(where: { bytes.count > $0 && bytes[$0] == UInt8(ascii: " ") }) else {
            return nil
        }
        let item = bytes[..<width]
        guard "<>ch.".utf8.contains(item[0]), "fdLDS".utf8.contains(item[1]) else { return nil }
        text = ListedName.unescape(bytes[(width + 1)...])
        isLink = item[0] == UInt8(ascii: "h")
        isSymlink = item[1] == UInt8(ascii: "L")
        isTransfer = item[1] == UInt8(ascii: "f") && "<>c".utf8.contains(item[0])
        hasTime = item[4] == UInt8(ascii: "t")
        isTimeAlone =
            hasTime && !isLink && item.indices.dropFirst(2).allSatisfy { $0 == 4 || ". ".utf8.contains(item[$0]) }
        if item[2] == UInt8(ascii: "+") {
            kind = .missing
        } else if isLink {
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

    /// The path, relative; what follows a symlink's or hard link's name is cut at the first place where it may begin.
    var name: [UInt8] {
        var name = text
        if isLink, let split = linkSplit() { name = split.name }
        if isSymlink, !isLink, let arrow = Self.firstRange(of: Array(" -> ".utf8), in: text) {
            name = Array(text[..<arrow])
        }
        if name.last == UInt8(ascii: "/") { name.removeLast() }
        return name
    }

    /// The name and the other name of a hard link. A name may have ` => ` in it; then there are several ways to read
    /// the line, and the one that makes both sides as long as each other's is as good as any.
    func linkSplit() -> (name: [UInt8], target: [UInt8])? {
        let arrow = Array(" => ".utf8)
        var found: [Int] = []
        var index = 0
        while index + arrow.count <= text.count {
            if text[index..<index + arrow.count].elementsEqual(arrow) { found.append(index) }
            index += 1
        }
        guard !found.isEmpty else { return nil }
        let place = found[found.count / 2]
        return (Array(text[..<place]), Array(text[(place + arrow.count)...]))
    }

    private static func firstRange(of needle: [UInt8], in text: [UInt8]) -> Int? {
        guard text.count >= needle.count else { return nil }
        return (0...text.count - needle.count).first { text[$0..<$0 + needle.count].elementsEqual(needle) }
    }
}
