import Glibc
import Testing

@testable import Tracking

/// The matcher against `git check-ignore`, on random lists and paths.
@Suite("Exclude lists and git")
struct GitIgnoreComparisonTests {
    /// One directory of the test repository: its .gitignore, and paths in it.
    private struct Sample {
        var patterns: [[UInt8]]
        var paths: [(bytes: [UInt8], isDirectory: Bool)]
    }

    @Test("agree", .enabled(if: access("/usr/bin/git", X_OK) == 0, "needs git"))
    func agree() throws {
        var generator = SampleGenerator()
        print("PATTERN_SEED=\(generator.seed)")
        let samples = (0..<400).map { _ in sample(&generator) }
        let answers = try gitAnswers(samples)
        try #require(answers.count == samples.reduce(0) { $0 + $1.paths.count })

        var index = 0
        var excluded = 0
        for sample in samples {
            let list = try ExcludeList(patterns: sample.patterns)
            for path in sample.paths {
                let actual = list.excludes(path: path.bytes, isDirectory: path.isDirectory)
                if answers[index] { excluded += 1 }
                #expect(
                    actual == answers[index],
                    """
                    \(sample.patterns.map(shown)) on \(shown(path.bytes)), \
                    \(path.isDirectory ? "a directory" : "a file"), seed \(generator.seed)
                    """)
                index += 1
            }
        }
        #expect(excluded > index / 20, "the samples hardly ever match: the comparison shows little")
        #expect(excluded < index * 19 / 20, "the samples nearly always match: the comparison shows little")
    }

    private func sample(_ generator: inout SampleGenerator) -> Sample {
        let names = (0..<4).map { _ in generator.name(upTo: 3) }
        let patterns = (0..<Int.random(in: 1...4, using: &generator)).map { _ in pattern(&generator, names) }
        var paths: [(bytes: [UInt8], isDirectory: Bool)] = []
        var directories: Set<[UInt8]> = []
        for _ in 0..<12 {
            let depth = Int.random(in: 1...5, using: &generator)
            let path = (0..<depth).map { _ in generator.chance(85) ? generator.pick(names) : generator.name() }
            for end in 1..<depth where depth > 1 { directories.insert(join(path[..<end])) }
            paths.append((join(path[...]), generator.chance(30)))
            if paths[paths.count - 1].isDirectory { directories.insert(join(path[...])) }
        }
        for index in paths.indices { paths[index].isDirectory = directories.contains(paths[index].bytes) }
        return Sample(patterns: patterns, paths: paths)
    }

    /// Components out of names that the paths have, globs, and `**`. A `**` beside other characters is left out: git
    /// before 2.40 compares unrelated pointers there (wildmatch.c) and answers differently from run to run.
    private func pattern(_ generator: inout SampleGenerator, _ names: [[UInt8]]) -> [UInt8] {
        var components: [[UInt8]] = []
        for _ in 0..<(generator.chance(40) ? 1 : Int.random(in: 2...4, using: &generator)) {
            switch Int.random(in: 0..<10, using: &generator) {
            case 0...4: components.append(generator.pick(names).flatMap { [UInt8(ascii: "\\"), $0] })
            case 5, 6: components.append(Array("**".utf8))
            case 7: components.append(Array("*".utf8))
            default: components.append(generator.glob())
            }
        }
        var pattern = join(components[...])
        if generator.chance(20) { pattern = Array("/".utf8) + pattern }
        if generator.chance(20) { pattern += Array("/".utf8) }
        if generator.chance(25) { pattern = Array("!".utf8) + pattern }
        // git takes a space at the end away.
        return pattern.last == UInt8(ascii: " ") ? pattern + Array("a".utf8) : pattern
    }

    private func join(_ components: ArraySlice<[UInt8]>) -> [UInt8] {
        Array(components.joined(separator: CollectionOfOne(UInt8(ascii: "/"))))
    }

    /// What git answers for each path of each sample, in order.
    private func gitAnswers(_ samples: [Sample]) throws -> [Bool] {
        let place = try ScratchDirectory()
        defer { place.remove() }
        var input: [UInt8] = []
        for (number, sample) in samples.enumerated() {
            let directory = Array("r\(number)".utf8)
            place.makeDirectories(directory)
            place.write(
                directory + Array("/.gitignore".utf8), sample.patterns.flatMap { $0 + [UInt8(ascii: "\n")] })
            for path in sample.paths {
                let full = directory + Array("/".utf8) + path.bytes
                if path.isDirectory { place.makeDirectories(full) }
                input += full + [0]
            }
        }
        place.write(Array("input".utf8), input)
        try #require(
            place.run(
                """
                git init -q . && git -c core.excludesFile=/dev/null check-ignore --no-index --stdin -z -v -n \
                <input >output; test $? -le 1
                """))
        // Source, line, pattern and path of each, all ended by NUL; all but the path are empty where nothing matches.
        let fields = place.read("output").split(separator: 0, omittingEmptySubsequences: false).dropLast()
        return stride(from: 2, to: fields.count, by: 4).map { index in
            !fields[index].isEmpty && fields[index].first != UInt8(ascii: "!")
        }
    }
}

/// A temporary directory. Paths are relative to it.
private struct ScratchDirectory {
    let path: String

    init() throws {
        var template = Array("/tmp/exclude-XXXXXX".utf8CString)
        try #require(mkdtemp(&template) != nil)
        path = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    private func withPath<Result>(_ name: some Sequence<UInt8>, _ body: (UnsafePointer<CChar>) -> Result) -> Result {
        (Array("\(path)/".utf8) + name + [0]).map(CChar.init(bitPattern:)).withUnsafeBufferPointer {
            body($0.baseAddress!)
        }
    }

    func makeDirectories(_ name: [UInt8]) {
        for end in name.indices where name[end] == UInt8(ascii: "/") { withPath(name[..<end]) { _ = mkdir($0, 0o755) } }
        withPath(name) { _ = mkdir($0, 0o755) }
    }

    func write(_ name: [UInt8], _ bytes: [UInt8]) {
        guard let file = withPath(name, { fopen($0, "w") }) else { return }
        fwrite(bytes, 1, bytes.count, file)
        fclose(file)
    }

    func read(_ name: String) -> [UInt8] {
        guard let file = withPath(name.utf8, { fopen($0, "r") }) else { return [] }
        defer { fclose(file) }
        var all: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while case let count = fread(&chunk, 1, chunk.count, file), count > 0 { all += chunk[..<count] }
        return all
    }

    /// Whether a shell command in the directory ends with 0.
    func run(_ command: String) -> Bool { system("cd '\(path)' && \(command)") == 0 }

    func remove() { _ = system("rm -rf '\(path)'") }
}
