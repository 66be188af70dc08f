// Runs the examples that its parent names, one after the other, each in a folder of its own, until the parent lets it end.
process.on('message', async ({ file, directory }) => {
  process.chdir(directory)
  try {
    await import(file)
    process.send({})
  } catch (error) {
    process.send({ error: String(error?.stack ?? error) })
  }
})
