import ChangesCommands

@main
struct Main {
    static func main() { runChanges() }
}
