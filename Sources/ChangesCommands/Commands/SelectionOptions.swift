import ArgumentParser
import ChangeStore
import LinuxKernel
import Tracking

/// The flags that say which changes are wanted.
struct SelectionOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Only what changed from then on. Default: all that history holds.", valueName: "when"))
    var since: String?

    @Option(help: ArgumentHelp("Only what changed before that time, or up to seq:N.", valueName: "when"))
    var until: String?

    @Option(
        help: ArgumentHelp(
            "Only this path and what is below it: absolute, relative to the working directory, or beginning with the "
                + "bare name of a root (roundcube-backup/2026-48).", valueName: "path"))
    var under: PathArgument?

    @Option(
        help: ArgumentHelp("Only names that match, in the manner of the shell: \"*.sql\".", valueName: "glob"))
    var name: PathArgument?

    @Option(
        help: ArgumentHelp(
            "Only these kinds, separated by commas: \(ChangeKind.allCases.map(\.word).joined(separator: ", ")).",
            valueName: "kinds"))
    var kind: [WordList<ChangeKind>] = []

    @Option(
        help: ArgumentHelp(
            "Only these types, separated by commas: \(FileType.allCases.map(\.word).joined(separator: ", ")).",
            valueName: "types"))
    var type: [WordList<FileType>] = []

    @Option(help: ArgumentHelp("Only what has at least this size: 10MiB.", valueName: "size"))
    var minSize: SizeArgument?

    @Option(help: ArgumentHelp("Only what has at most this size.", valueName: "size"))
    var maxSize: SizeArgument?

    @Flag(help: "Only paths that exist, as far as the store knows.")
    var existing = false

    @Flag(help: "Only paths that are gone.")
    var gone = false

    @Flag(help: "Every change. Without it, the latest of each path.")
    var history = false

    /// What the flags ask for; `--under` apart, which needs the store's roots.
    func selection(now: Timestamp, zone: Zone) throws -> Selection {
        var selection = Selection()
        selection.since = try boundary(since, option: "--since", now, zone)
        selection.until = try boundary(until, option: "--until", now, zone)
        if let name {
            guard !name.bytes.contains(UInt8(ascii: "/")) else {
                throw ValidationError("--name takes a name without \"/\"; for directories there is --under")
            }
            do throws(PatternError) {
                selection.name = try GlobMatcher(name.bytes)
            } catch {
                throw ValidationError("--name \(TerminalText.of(name.bytes)): \(error.problem)")
            }
        }
        if !kind.isEmpty { selection.kinds = Set(kind.flatMap(\.values)) }
        if !type.isEmpty { selection.types = Set(type.flatMap(\.values)) }
        let smallest = minSize?.bytes ?? .min
        let largest = maxSize?.bytes ?? .max
        guard smallest <= largest else { throw ValidationError("--min-size is more than --max-size") }
        selection.sizes = smallest...largest
        guard !(existing && gone) else { throw ValidationError("--existing and --gone exclude each other") }
        if existing { selection.presence = .existing }
        if gone { selection.presence = .gone }
        selection.isEveryChange = history
        return selection
    }

    private func boundary(_ text: String?, option: String, _ now: Timestamp, _ zone: Zone) throws -> Boundary? {
        guard let text else { return nil }
        if let boundary = BoundaryText.parse(text, now: now, zone: zone) { return boundary }
        let given = TerminalText.of(ArgumentBytes.bytes(of: text))
        throw ValidationError("\(option) \(given): expected \(BoundaryText.expectation)")
    }

    /// Fills in what `--under` means in a store.
    ///
    /// - Returns: what whoever asked should know: that no root holds such a path.
    func resolveScope(in selection: inout Selection, _ reader: StoreReader) throws -> String? {
        guard let under else { return nil }
        let roots = try reader.roots
        let scope = try scopeArgument(under.bytes, option: "--under", roots: roots)
        selection.under = scope
        let isKnown = roots.contains { root in
            scope.contains(root) || PathScope(root)?.contains(scope.path) ?? false
        }
        if isKnown { return nil }
        let list = roots.prefix(5).map(TerminalText.of).joined(separator: ", ") + (roots.count > 5 ? ", …" : "")
        return "no root holds \(TerminalText.of(scope.path)); the roots are \(list.isEmpty ? "none yet" : list)"
    }
}

/// What a path argument means in a store.
///
/// - Throws: `ValidationError`, with what is expected.
func scopeArgument(_ bytes: [UInt8], option: String, roots: [[UInt8]]) throws -> PathScope {
    let given = TerminalText.of(bytes)
    do throws(ScopeArgument.Flaw) {
        return try ScopeArgument.scope(of: bytes, roots: roots) { try? ProcessContext.workingDirectory() }
    } catch {
        switch error {
        case .empty: throw ValidationError("\(option) is empty; it takes a path")
        case .parentInside: throw ValidationError("\(option) \(given): expected a path without \"..\" inside it")
        case .ambiguous(let roots):
            let list = roots.map(TerminalText.of).joined(separator: ", ")
            throw ValidationError("\(option) \(given): several roots have that name: \(list)")
        case .noWorkingDirectory:
            throw ValidationError(
                "\(option) \(given): the working directory cannot be found out; use an absolute path")
        }
    }
}

/// An argument that is an amount of bytes.
struct SizeArgument: ExpressibleByArgument {
    let bytes: Int64

    init?(argument: String) {
        guard let bytes = ByteSizeText.parse(argument) else { return nil }
        self.bytes = bytes
    }
}
