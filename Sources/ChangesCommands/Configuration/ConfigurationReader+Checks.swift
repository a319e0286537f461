import Offsite
import Tracking

/// What is wrong with settings that are right each by itself.
extension ConfigurationReader {
    /// What history may grow to in the end cannot be less than what it may have at ease.
    mutating func checkSizes(of store: Configuration.Store) {
        checkOrder(
            "max_size", ByteSizeText.format(store.maxSize), "max_size_hard", ByteSizeText.format(store.maxSizeHard),
            in: ["store"], isOrdered: store.maxSize <= store.maxSizeHard)
    }

    mutating func checkDestinations(of configuration: Configuration) {
        let isRootsMeant = isMeant(["watch", "roots"])
        let roots = isRootsMeant ? configuration.watch.roots.compactMap { try? RootPattern($0) } : []
        for (index, destination) in configuration.destinations.enumerated() {
            let path: TOMLPath = ["destination", .index(index)]
            checkOrder(
                "settle", DurationText.format(destination.settle), "max_delay",
                DurationText.format(destination.maxDelay),
                in: path, isOrdered: destination.settle <= destination.maxDelay)
            checkName(of: destination, at: path, before: configuration.destinations[..<index])
            checkLocalTarget(of: destination, at: path, roots: roots)
        }
    }

    private mutating func checkOrder(
        _ lower: String, _ lowerText: String, _ upper: String, _ upperText: String, in table: TOMLPath, isOrdered: Bool
    ) {
        let lowerPath = table + [.key(lower)]
        let upperPath = table + [.key(upper)]
        guard !isOrdered, isMeant(lowerPath), isMeant(upperPath) else { return }
        // The one that the file sets is the one to change; of two, the upper one.
        if isGood(upperPath) {
            report(
                upperPath, found: TOMLText.quote(upperText), .expected("at least \(lower), which is \(lowerText)"))
        } else {
            report(
                lowerPath, found: TOMLText.quote(lowerText),
                .expected("at most \(upper), which is \(upperText) where it is not set"))
        }
    }

    private mutating func checkName(
        of destination: DestinationSettings, at path: TOMLPath, before: ArraySlice<DestinationSettings>
    ) {
        let key = path + ["name"]
        guard isGood(key), let index = before.firstIndex(where: { $0.name == destination.name }) else { return }
        let place = map.lines[["destination", .index(index), "name"]].map { ", as the one of line \($0) has" } ?? ""
        report(key, found: TOMLText.quote(destination.name), .expected("a name that no other destination has\(place)"))
    }

    /// A copy in what it is made of feeds itself, and one around it has deletions that reach the source.
    private mutating func checkLocalTarget(
        of destination: DestinationSettings, at path: TOMLPath, roots: [RootPattern]
    ) {
        let key = path + ["target"]
        guard case .local(let text) = destination.target, isGood(key) else { return }
        let target = Array(text.utf8)
        let source = destination.source
        let found = TOMLText.quote(text)
        if isGood(path + ["source"]) {
            if Self.isInside(target, source) {
                report(key, found: found, .flaw("it is source or inside of it; choose a directory outside"))
                return
            }
            if Self.isInside(source, target) {
                report(
                    key, found: found,
                    .flaw("source, which is \(TerminalText.of(source)), is inside of it; choose a directory outside"))
                return
            }
        }
        if let root = roots.first(where: { $0.covers(path: target) }) {
            report(
                key, found: found,
                .flaw(
                    "it is inside of what is tracked, by \(TerminalText.of(root.source)) in watch.roots; choose a "
                        + "directory outside"))
        }
    }

    private static func isInside(_ path: [UInt8], _ directory: [UInt8]) -> Bool {
        path == directory || path.starts(with: directory + [UInt8(ascii: "/")])
    }
}
